/* error.h: every reason for which a connection ends or a call fails, with a text and a one-word name each. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

/*
 * Returned, never printed, by crypto/, protocol/ and pipe/. OK is 0; everything else ended something. The words are
 * what log lines carry as reason=WORD and are documented in spiped(1): renaming one breaks somebody's log parser.
 */
enum error {
	OK = 0,
	/* the handshake (S4, C5) */
	ERROR_WRONG_KEY,          /* the MAC of the peer's y matches no key of ours */
	ERROR_BAD_Y,              /* y is 0, p - 1, or not below p */
	ERROR_NO_FORWARD_SECRECY, /* y = 1, and -g asked for forward secrecy */
	ERROR_HANDSHAKE_TIMEOUT,  /* not done within -o */
	/* packets (P4, P5) */
	ERROR_BAD_MAC,
	ERROR_BAD_LENGTH,
	ERROR_CUT,             /* a FIN inside a packet or inside the handshake */
	ERROR_NUMBERS_USED_UP, /* no packet number left in this direction */
	/* sockets */
	ERROR_CIPHER_RESET,    /* the encrypted side's connection broke */
	ERROR_PLAIN_RESET,     /* the plain side's connection broke */
	ERROR_CONNECT,         /* no address of the target could be connected to */
	ERROR_CONNECT_TIMEOUT, /* the same, and the last one failed by -o */
	ERROR_LOOKUP,          /* the target's name has no address yet */
	/* our own limits and decisions */
	ERROR_NO_ROOM, /* -n was reached until -o had passed */
	ERROR_EVICTED, /* --max-handshakes was reached */
	ERROR_STALLED, /* one side broke and the other took nothing for -o */
	ERROR_KILLED,  /* a second SIGTERM or SIGINT */
	ERROR_REVOKED, /* its key was taken away, and --close-revoked */
	/* what is below us */
	ERROR_RANDOM, /* no random bytes to be had */
	ERROR_CRYPTO, /* the crypto library failed */
	ERROR_MEMORY,
	ERROR_DESCRIPTORS,
	ERROR_COUNT /* not an error: how many there are */
};

/* A sentence's worth, without a capital and without a full stop; never NULL. Any thread. */
const char *error_text(enum error error);

/* One word of [a-z0-9-], for reason=; "end" for OK; never NULL. Any thread. */
const char *error_word(enum error error);

#endif
