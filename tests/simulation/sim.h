/*
 * sim.h: two daemons, up to 32 connections through them, and all that is around: sockets, applications, addresses,
 * strangers, somebody on the wire, and a clock. Everything comes from one seed, so a seed replays exactly.
 *
 *     client -- to_daemon --> encrypter (E) == wire ==> decrypter (D) -- to_target --> target     and back
 *
 * Only pipe/ and protocol/ and what they link are the real thing; the rest does what net/ does, as badly as it may.
 */
#ifndef TESTS_SIMULATION_SIM_H
#define TESTS_SIMULATION_SIM_H

#include "flow.h"
#include "pipe/admission.h"
#include "pipe/pipe.h"
#include "pipe/race.h"
#include "tally.h"

enum { E, D, SIDES };
enum { LINKS = 32, HANDSHAKE = WIRE_NONCE + WIRE_Y_AND_MAC, KEYS = 3, TEXT = 1 << 20 };
#define NEVER UINT64_MAX

/* A link's flows: each is followed by its way back. */
enum { TO_DAEMON, FROM_DAEMON, WIRE_OUT, WIRE_BACK, TO_TARGET, FROM_TARGET, FLOWS };

/* What is wrong with a link, chiefly. Everybody may be slow, short of something, or in the way of a limit besides. */
enum trouble {
	NO_TROUBLE,
	TAMPERED, /* somebody is on its wire */
	WIRE_IS_RESET,
	WIRE_STALLS,
	OTHER_KEY,
	LYING_Y,
	LYING_LENGTH,
	LAST_NUMBERS,
	JOB_FAILS,
	NO_RANDOM,
	ADDRESSES_FAIL,
	GRIDLOCK, /* the target reads nothing, and then the wire breaks */
	STRANGER, /* it comes to D directly, and has no key */
	TROUBLES
};

enum tampering {
	FLIP,
	DROP,
	DROP_PACKET,
	REPEAT,
	REPEAT_PACKET,
	REORDER,
	INJECT,
	REFLECT,
	CUT,
	CUT_PACKET,
	TAMPERINGS
};

struct leg {
	struct flow *in, *out;
	bool connected, shut, closed, awaiting, hung_up, told_hang_up, unwritable, unreadable, fin_read;
	uint64_t read, wrote;
	size_t unwritten; /* of the last PIPE_SEND */
	size_t most;      /* packets that a batch for it may have now */
	bool was_cut;     /* the batch did not go in one write */
};

enum fate { ANSWERS, REFUSES, SILENT, NO_DESCRIPTORS, NO_MEMORY };

struct dial {
	bool active, has_begun, has_no_memory;
	struct race race;
	size_t count, under_way_count;
	uint64_t began, next_start; /* next_start: another address may not begin before, unless one fails */
	enum error verdict, last_error;
	struct {
		enum fate fate;
		uint64_t delay, started_at, answer_at, retry_at;
		bool has_started, is_under_way, has_failed;
	} addresses[RACE_MAX];
	uint64_t short_until; /* of what NO_DESCRIPTORS and NO_MEMORY lack */
};

enum standing { NOBODY, STRANGE, WAITING, ADMITTED, EVICTED };

/* One end of a link, as its driver sees it. */
struct side {
	struct link *link;
	int which;
	struct pipe_settings settings;
	struct pipe pipe;
	struct leg legs[PIPE_LEGS];
	struct pipe_buffer *held[PIPE_RELEASES];
	struct dial dial;
	struct job job;
	struct keyring *job_ring; /* held while a match is out */
	bool job_wanted, job_out, match_asked;
	int jobs_done; /* powers */
	/* Held: the ring until it has opened, the name from then on. The rest is of the ring that it began with. */
	struct keyring *ring;
	struct key_name *name, *expected;
	unsigned generation;
	bool has_key, is_second_key, told_revoked;
	bool started, opened, over, is_excused, admit_asked, admitted, retries;
	uint64_t started_at, dialled_at, broken_at, stalled_at, job_at, retry_at, late, spurious_at;
	int spurious_left;
	uint8_t told[HANDSHAKE], heard[HANDSHAKE]; /* of the handshake, on the cipher leg */
	size_t packets;                            /* that it sealed */
	uint32_t *plain_at;                        /* plain bytes in the first i of them; kept from seed to seed */
	size_t plain_at_size;
	enum standing standing; /* with its daemon */
	uint64_t entered;       /* the step in which it came in, or began to wait for room */
	uint32_t slot, source;
	bool was_accepted, is_gone;
};

enum app_end { ENDS_AFTER_SAYING, ENDS_AFTER_HEARING, RESETS, CLOSES, DEAFENS };

struct app {
	struct flow *in, *out;
	const uint8_t *text; /* to_say bytes */
	uint64_t to_say, said, heard, trigger;
	enum app_end end;
	uint64_t say_at, read_at, stall; /* stall: how long, once, at `trigger` heard */
	bool there, ended, gone, saw_end, saw_reset;
	uint64_t pace, every; /* most ms between two acts; from one read, of little, to the next, if not 0 */
};

struct link {
	int number;
	enum trouble trouble;
	enum tampering tampering;
	int tampered_way;     /* WIRE_OUT or WIRE_BACK */
	uint64_t tamper_at;   /* an offset in it */
	int liar;             /* the side that lies, has no numbers or fails */
	bool is_done_to;      /* the trouble has come about */
	bool goes_on;         /* whoever was at one way will be at the other one, too */
	bool is_harmed;       /* it need not end well */
	uint64_t quiet_until; /* nothing can happen to it before, unless a daemon does something with it */
	bool arrived, finished;
	struct flow flows[FLOWS];
	struct side sides[SIDES];
	struct app client, target; /* a stranger is a client on the wire */
	unsigned key;              /* E's; KEYS: none of D's */
	uint8_t random[SIDES][SESSION_RANDOM];
};

enum mail_kind { MAIL_PROVED, MAIL_GONE, MAIL_ADMITTED, MAIL_EVICTED, MAIL_REVOKED };

struct mail {
	enum mail_kind kind;
	struct link *link; /* NULL of MAIL_REVOKED */
	uint64_t at;
};

enum { MAILS = 256 };

struct mailbox {
	struct mail mails[MAILS];
	size_t first, count;
};

/* The thread that accepts and its worker. */
struct daemon {
	int which;
	struct admission admission;
	void *admission_memory;
	struct link *by_slot[LINKS];
	struct link *backlog[LINKS];
	size_t backlog_count;
	struct mailbox to_acceptor, to_worker;
	bool is_listening, is_paused, is_draining, is_killed;
	uint64_t accept_at, unpause_at, drain_at, kill_at, reload_at, short_from, short_until;
	int reloads_left;
	unsigned revoked_known; /* generations whose removals its connections have been told */
	uint32_t count, cap, limit;
};

struct trace;

struct scene {
	uint64_t seed, random, now, steps;
	uint64_t timeout, slowness; /* slowness: most ms that something takes */
	unsigned shortness;         /* per mille: short reads and writes, and EAGAIN */
	bool lets_go, real_job, is_crowded;
	struct engine *engine;
	uint8_t *in;
	const uint8_t *text;       /* 2 * TEXT random bytes, the same for every seed */
	struct keyring *ring;      /* D's, in force */
	size_t key_count;          /* of the first one */
	unsigned generation;       /* how often it has changed */
	unsigned removed_in[KEYS]; /* when a key was removed last; 0: never */
	unsigned keeps;            /* per mille: that a key is in the next one */
	bool changes_keys, closes_revoked;
	size_t rings, names; /* that are not freed */
	struct daemon daemons[SIDES];
	size_t link_count;
	struct link *links; /* LINKS of them */
	uint64_t no_buffer_from, no_buffer_until, pressure_until;
	struct pipe_buffer *idle[2];
	size_t handed_out;
	uint8_t seen[MARKS];
	struct trace *trace;
	uint64_t digest; /* of all that happened */
	uint64_t bytes;  /* that came out of plain legs */
};

/* A number from 0 to below - 1; whether something of so many in a thousand comes up. Only from the seed. */
uint64_t draw(struct scene *scene, uint64_t below);
bool chance(struct scene *scene, unsigned per_mille);

static inline void
happens(struct scene *scene, enum happening what)
{
	scene->seen[MARK_HAPPENINGS + what] = 1;
}

/* trace.c: what happened last, and the end of everything when a promise is broken. A link of NULL: to a daemon. */
struct trace *trace_new(void);
void trace_start(struct scene *scene, bool prints);
void trace_note(struct scene *scene, const struct side *side, const char *what, int leg, uint64_t number);
void trace_link(struct scene *scene, const struct link *link, const char *what, uint64_t number);
void trace_show(const struct scene *scene);
_Noreturn void broken(struct scene *scene, const char *file, int line, const char *promise);
#define promise(scene, holds)                                      \
	do {                                                       \
		if (!(holds))                                      \
			broken(scene, __FILE__, __LINE__, #holds); \
	} while (0)

/* scene.c: a seed from start to end. */
bool scene_start(struct scene *scene); /* once; false: no memory or no engine */
void scene_stop(struct scene *scene);
void scene_play(struct scene *scene, uint64_t seed, bool prints);

/* setup.c: what a seed makes of everybody. */
void setup_scene(struct scene *scene, uint64_t seed);
uint64_t setup_delay(struct scene *scene);

/* driver.c: one side, as net/connection.c. */
void side_start(struct scene *scene, struct side *side);
void side_hear(struct scene *scene, struct side *side, struct pipe_event event);
void side_settle(struct scene *scene, struct side *side);
bool side_tell_hang_up(struct scene *scene, struct side *side);   /* as far as it is due */
void side_check_delivery(struct scene *scene, struct side *side); /* the same */
void side_stop(struct scene *scene, struct side *side, enum error error);
void side_admitted(struct scene *scene, struct side *side);

/* keys.c: the keys that are in force, and who holds what. old: a key of it keeps its name. */
void keys_start(struct scene *scene);
void keys_stop(struct scene *scene); /* all of them are freed */
void keys_change(struct scene *scene);
struct keyring *keys_new(struct scene *scene, const unsigned *numbers, size_t count, const struct keyring *old);
struct keyring *keys_hold(struct scene *scene, struct side *side); /* until keys_opened, or keys_let_go */
void keys_opened(struct scene *scene, struct side *side);
void keys_let_go(struct side *side);
void keys_check(struct scene *scene, struct side *side);             /* stops it if its key was removed */
bool is_removed(const struct scene *scene, const struct side *side); /* since it began */

/* happen.c: what can happen to a side, when, and that it does. */
enum {
	SIDE_TIMER,
	SIDE_DIAL,
	SIDE_JOB,
	SIDE_RETRY,
	SIDE_SPURIOUS,
	SIDE_OF_LEGS,
	SIDE_THINGS = SIDE_OF_LEGS + 4 * PIPE_LEGS
};
uint64_t side_time(struct scene *scene, const struct side *side, int thing);
void side_happen(struct scene *scene, struct side *side, int thing);
bool side_read(struct scene *scene, struct side *side, enum pipe_leg which); /* false: no buffer */

/* action.c: what a pipe wants done. */
void side_do(struct scene *scene, struct side *side, const struct pipe_action *action);
struct pipe_buffer *buffer_get(struct scene *scene, struct side *side, size_t packets);
void buffer_put(struct scene *scene, struct side *side, struct pipe_buffer *buffer);
void buffer_free_idle(struct scene *scene);

/* promise.c: what must hold. */
bool is_genuine(const struct link *link, const struct side *side);
void promise_settled(struct scene *scene, struct side *side);
void promise_not_idle(struct scene *scene, const struct link *link);
void promise_in_time(struct scene *scene, const struct side *side);
void promise_at_job(struct scene *scene, struct side *side);
void promise_at_dial(struct scene *scene, const struct side *side);
void promise_at_opened(struct scene *scene, const struct side *side);
void promise_at_end_shown(struct scene *scene, const struct side *side);
void promise_at_close(struct scene *scene, const struct side *side, enum pipe_leg which, bool is_reset);
void promise_at_over(struct scene *scene, struct side *side);

/* dialling.c: an address of several, as net/dial.c. */
void dial_start(struct scene *scene, struct side *side);
void dial_cancel(struct side *side);
uint64_t dial_time(const struct side *side);
void dial_happen(struct scene *scene, struct side *side);
uint64_t dial_latest(const struct scene *scene, const struct dial *dial);

/* daemon.c: accepting, limits, drain and kill, as net/acceptor.c. */
enum {
	DAEMON_ACCEPT,
	DAEMON_UNPAUSE,
	DAEMON_MAIL_IN,
	DAEMON_MAIL_OUT,
	DAEMON_DRAIN,
	DAEMON_KILL,
	DAEMON_RELOAD,
	DAEMON_THINGS
};
uint64_t daemon_time(const struct daemon *daemon, int thing);
void daemon_happen(struct scene *scene, struct daemon *daemon, int thing);
bool daemon_connect(struct scene *scene, struct daemon *daemon, struct link *link); /* false: refused */
void daemon_hears_of(struct scene *scene, struct side *side, enum mail_kind kind);
void daemon_drain(struct scene *scene, struct daemon *daemon);
void promise_counts(struct scene *scene, const struct daemon *daemon);

/* app.c: whoever is beside a daemon, or a stranger. */
enum { APP_SAY, APP_END, APP_READ, APP_THINGS };
uint64_t app_time(const struct app *app, int thing);
void app_happen(struct scene *scene, struct link *link, struct app *app, int thing);

/* attack.c: somebody on the wire, or at one end of it. attack_wire: before something arrives there. */
void attack_wire(struct scene *scene, struct link *link, int way);
uint64_t attack_time(const struct link *link);
void attack_happen(struct scene *scene, struct link *link);
void attack_job(struct scene *scene, struct side *side, struct job *job);

static inline struct leg *
cipher_of(struct side *side)
{
	return &side->legs[PIPE_CIPHER];
}

static inline struct side *
peer_of(const struct side *side)
{
	return &side->link->sides[side->which == E ? D : E];
}

/* Its handshake is done, as far as can be seen from outside. */
static inline bool
has_shaken_hands(const struct side *side)
{
	const struct leg *cipher = &side->legs[PIPE_CIPHER];

	return cipher->read >= HANDSHAKE && cipher->wrote >= HANDSHAKE && side->jobs_done == (side->which == E ? 2 : 1);
}

#endif
