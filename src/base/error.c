/* error.c: the one table of error words and texts. */
#include "base/error.h"

static const struct {
	const char *word;
	const char *text;
} errors[ERROR_COUNT] = {
    [OK] = {"end", "the connection ended"},
    [ERROR_WRONG_KEY] = {"wrong-key", "the peer does not have our key"},
    [ERROR_BAD_Y] = {"bad-y", "the peer sent a Diffie-Hellman value that no honest peer sends"},
    [ERROR_NO_FORWARD_SECRECY] = {"no-forward-secrecy", "the peer gives up forward secrecy, and it is required"},
    [ERROR_HANDSHAKE_TIMEOUT] = {"handshake-timeout", "the handshake took too long"},
    [ERROR_BAD_MAC] = {"bad-mac", "a packet was damaged, forged or out of order"},
    [ERROR_BAD_LENGTH] = {"bad-length", "a packet has an impossible length"},
    [ERROR_CUT] = {"cut", "the encrypted connection ended inside a packet or inside the handshake"},
    [ERROR_NUMBERS_USED_UP] = {"numbers-used-up", "the connection has no packet number left"},
    [ERROR_CIPHER_RESET] = {"cipher-reset", "the encrypted connection broke"},
    [ERROR_PLAIN_RESET] = {"plain-reset", "the plain connection broke"},
    [ERROR_CONNECT] = {"connect", "no address of the target could be connected to"},
    [ERROR_CONNECT_TIMEOUT] = {"connect-timeout", "connecting to the target took too long"},
    [ERROR_LOOKUP] = {"lookup", "the target's name has no address yet"},
    [ERROR_NO_ROOM] = {"no-room", "the limit on connections was reached"},
    [ERROR_EVICTED] = {"evicted", "the limit on unfinished handshakes was reached"},
    [ERROR_STALLED] = {"stalled", "one side broke while the other took no data"},
    [ERROR_KILLED] = {"killed", "the program was told to end at once"},
    [ERROR_REVOKED] = {"revoked", "its key is not in force any more"},
    [ERROR_RANDOM] = {"random", "no random bytes could be had"},
    [ERROR_CRYPTO] = {"crypto", "the cryptographic library failed"},
    [ERROR_MEMORY] = {"memory", "no memory"},
    [ERROR_DESCRIPTORS] = {"descriptors", "no file descriptors left"},
};

const char *
error_text(enum error error)
{
	return (unsigned)error < ERROR_COUNT ? errors[error].text : "unknown error";
}

const char *
error_word(enum error error)
{
	return (unsigned)error < ERROR_COUNT ? errors[error].word : "unknown";
}
