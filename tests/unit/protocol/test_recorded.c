/* test_recorded.c: whole sessions that the independent peer recorded, byte for byte (tests/vectors/README.md). */
#include <stdio.h>

#include "backend.h"
#include "duplex.h"

enum { LINE_MAX_CHARS = 40000, VALUE_MAX = 16384, TURNS_MAX = 64, SESSIONS_MIN = 20 };

/* A pair of keys is handed on as one, E before H: nobody asks wire.h where H stands, so it is asked here. */
_Static_assert(WIRE_H_C == WIRE_E_C + WIRE_KEY && WIRE_H_S == WIRE_E_S + WIRE_KEY, "H stands behind its E");

/* One batch: what an end is given, and the packets that come of it. */
struct turn {
	enum session_role sender;
	uint8_t plain[VALUE_MAX], wire[VALUE_MAX];
	size_t plain_length, wire_length;
};

struct recording {
	char name[64];
	struct key key;
	enum forward_secrecy forward_secrecy[2];           /* by role */
	uint8_t random[2][SESSION_RANDOM];                 /* nonce and x */
	uint8_t handshake[2][WIRE_NONCE + WIRE_Y_AND_MAC]; /* all that each end sends before its packets */
	uint8_t dk_1[WIRE_DK_1], y_sc[WIRE_Y], dk_2[WIRE_DK_2];
	struct turn turns[TURNS_MAX];
	size_t turn_count;
};

struct player {
	struct engine *engine;
	FILE *file;
	char line[LINE_MAX_CHARS + 2];
	struct recording recording;
};

static const char *vectors;

/* The next line that is no comment, without its end; "" for a blank one; NULL at the end of the file. */
static char *
read_line(struct player *player)
{
	do {
		if (fgets(player->line, sizeof player->line, player->file) == NULL)
			return NULL;
	} while (player->line[0] == '#');
	assert_non_null(strchr(player->line, '\n'));
	*strchr(player->line, '\n') = '\0';
	return player->line;
}

/* The value of a line that must have this name. */
static const char *
value_of(const char *line, const char *name)
{
	size_t length = strlen(name);

	assert_non_null(line);
	if (strncmp(line, name, length) != 0 || line[length] != ' ')
		fail_msg("expected a line %s, got %.40s", name, line);
	return line + length + 1;
}

static int
hex_digit(char c)
{
	const char *digits = "0123456789abcdef", *at = strchr(digits, c);

	assert_true(c != '\0' && at != NULL);
	return (int)(at - digits);
}

static size_t
hex(const char *text, uint8_t *bytes, size_t room)
{
	size_t length = strlen(text) / 2;

	assert_true(length > 0 && length <= room && strlen(text) % 2 == 0);
	for (size_t i = 0; i < length; i++)
		bytes[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
	return length;
}

static void
read_bytes(struct player *player, const char *name, uint8_t *bytes, size_t length)
{
	assert_int_equal(hex(value_of(read_line(player), name), bytes, length), length);
}

static enum forward_secrecy
read_forward_secrecy(struct player *player, const char *name)
{
	const char *value = value_of(read_line(player), name);

	if (strcmp(value, "on") == 0)
		return FORWARD_SECRECY;
	if (strcmp(value, "off") == 0)
		return FORWARD_SECRECY_OFF;
	assert_string_equal(value, "required");
	return FORWARD_SECRECY_REQUIRED;
}

/* Reads the pair of lines whose first one is at hand. */
static void
read_turn(struct player *player, const char *line)
{
	struct turn *turn = &player->recording.turns[player->recording.turn_count++];
	bool is_client = line[0] == 'c';

	assert_true(player->recording.turn_count <= TURNS_MAX);
	turn->sender = is_client ? SESSION_CLIENT : SESSION_SERVER;
	turn->plain_length = hex(value_of(line, is_client ? "client_send" : "server_send"), turn->plain, VALUE_MAX);
	turn->wire_length =
	    hex(value_of(read_line(player), is_client ? "client_wire" : "server_wire"), turn->wire, VALUE_MAX);
	assert_int_equal(turn->wire_length, packet_count(turn->plain_length) * WIRE_PACKET);
}

/* The next record; false at the end of the file. */
static bool
read_recording(struct player *player)
{
	struct recording *recording = &player->recording;
	char *line;

	while ((line = read_line(player)) != NULL && line[0] == '\0')
		continue;
	if (line == NULL)
		return false;
	memset(recording, 0, sizeof *recording);
	snprintf(recording->name, sizeof recording->name, "%s", value_of(line, "session"));
	read_bytes(player, "k", recording->key.k, WIRE_KEY);
	recording->forward_secrecy[SESSION_CLIENT] = read_forward_secrecy(player, "client_fs");
	recording->forward_secrecy[SESSION_SERVER] = read_forward_secrecy(player, "server_fs");
	read_bytes(player, "client_nonce", recording->random[SESSION_CLIENT], WIRE_NONCE);
	read_bytes(player, "client_x", recording->random[SESSION_CLIENT] + WIRE_NONCE, WIRE_X);
	read_bytes(player, "server_nonce", recording->random[SESSION_SERVER], WIRE_NONCE);
	read_bytes(player, "server_x", recording->random[SESSION_SERVER] + WIRE_NONCE, WIRE_X);
	read_bytes(player, "dk_1", recording->dk_1, WIRE_DK_1);
	read_bytes(player, "y_sc", recording->y_sc, WIRE_Y);
	read_bytes(player, "dk_2", recording->dk_2, WIRE_DK_2);
	read_bytes(player, "client_handshake", recording->handshake[SESSION_CLIENT], WIRE_NONCE + WIRE_Y_AND_MAC);
	read_bytes(player, "server_handshake", recording->handshake[SESSION_SERVER], WIRE_NONCE + WIRE_Y_AND_MAC);
	while ((line = read_line(player)) != NULL && line[0] != '\0')
		read_turn(player, line);
	return true;
}

/* Plays one end up to SESSION_READY, with the recorded bytes of the other as its peer. */
static void
play_handshake(const struct recording *recording, struct session *session, enum session_role role)
{
	const uint8_t *ours = recording->handshake[role], *theirs = recording->handshake[1 - role];
	size_t fed = 0, sent = 0;
	struct job job;

	while (session_wants(session) != SESSION_READY) {
		unsigned wants = session_wants(session);
		size_t n = session_wants_bytes(session);
		const uint8_t *bytes;

		if (wants & SESSION_WRITE) {
			size_t length = session_out(session, &bytes);

			assert_true(sent + length <= sizeof recording->handshake[role]);
			assert_memory_equal(bytes, ours + sent, length);
			session_sent(session, length);
			sent += length;
		} else if (wants & SESSION_JOB) {
			assert_int_equal(run_job(session, &job), OK);
		} else {
			assert_true(n > 0 && fed + n <= sizeof recording->handshake[role]);
			assert_int_equal(session_feed(session, theirs + fed, n), OK);
			fed += n;
		}
	}
	assert_int_equal(sent, sizeof recording->handshake[role]);
	assert_int_equal(fed, sizeof recording->handshake[role]);
	assert_memory_equal(job.shared, recording->y_sc, WIRE_Y);
}

static void
play(struct player *player, enum session_role role)
{
	static uint8_t wire[VALUE_MAX], plain[VALUE_MAX];
	struct recording *recording = &player->recording;
	struct keyring ring = {.count = 1, .keys = &recording->key};
	struct session session;
	size_t n;

	session_start(&session, role, recording->forward_secrecy[role], &ring, player->engine, recording->random[role]);
	play_handshake(recording, &session, role);
	for (size_t i = 0; i < recording->turn_count; i++) {
		struct turn *turn = &recording->turns[i];

		if (turn->sender == role) {
			assert_int_equal(session_seal(&session, wire, turn->plain, turn->plain_length, &n), OK);
			assert_int_equal(n, turn->wire_length);
			assert_memory_equal(wire, turn->wire, n);
			continue;
		}
		memcpy(wire, turn->wire, turn->wire_length);
		assert_int_equal(session_open(&session, plain, wire, turn->wire_length / WIRE_PACKET, &n), OK);
		assert_int_equal(n, turn->plain_length);
		assert_memory_equal(plain, turn->plain, n);
	}
	session_end(&session);
}

static void
each_recorded_session_comes_out_byte_for_byte_in_either_role(void **state)
{
	struct player *player = *state;
	size_t count = 0;

	for (; read_recording(player); count++) {
		print_message("           %s\n", player->recording.name);
		play(player, SESSION_CLIENT);
		play(player, SESSION_SERVER);
	}
	assert_true(count >= SESSIONS_MIN);
}

static int
player_setup(void **state)
{
	struct player *player = calloc(1, sizeof *player);

	if (player == NULL || group14_start() != OK)
		return -1;
	player->engine = engine_new(test_backend());
	player->file = fopen(vectors, "r");
	*state = player;
	return player->engine != NULL && player->file != NULL ? 0 : -1;
}

static int
player_teardown(void **state)
{
	struct player *player = *state;

	fclose(player->file);
	engine_free(player->engine);
	group14_stop();
	free(player);
	return 0;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_recorded_session_comes_out_byte_for_byte_in_either_role),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: %s sessions.txt\n", argv[0]);
		return 1;
	}
	vectors = argv[1];
	return cmocka_run_group_tests(tests, player_setup, player_teardown);
}
