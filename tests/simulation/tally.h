/*
 * tally.h: what came up, in how many seeds. Marks are the events and actions of pipe.h, each leg for itself, the
 * verdicts of error.h, and what happens around them, which is listed here.
 */
#ifndef TESTS_SIMULATION_TALLY_H
#define TESTS_SIMULATION_TALLY_H

#include "pipe/pipe.h"

/* A name and what it stands for. */
#define HAPPENINGS(X)                                                                                        \
	X(SHORT_READ, "a read gave less than there was")                                                     \
	X(SHORT_WRITE, "a write took a part")                                                                \
	X(WRITE_FULL, "a write took nothing")                                                                \
	X(READ_EAGAIN, "a read found nothing")                                                               \
	X(READ_LARGE, "a read of a whole batch was asked for")                                               \
	X(READ_SMALL, "a leg that was full made reads small")                                                \
	X(SPURIOUS, "an event came that nobody had asked for")                                               \
	X(LATE_TIMER, "a deadline was told late")                                                            \
	X(NO_BUFFER, "there was no buffer to read into")                                                     \
	X(PRESSURE, "a read was kept small for want of memory")                                              \
	X(CLIENT_ENDS_FIRST, "a client half-closed and was still answered")                                  \
	X(TARGET_ENDS_FIRST, "a target half-closed and was still written to")                                \
	X(APP_RESET, "an application reset its connection")                                                  \
	X(APP_CLOSE, "an application closed while it was written to")                                        \
	X(APP_DEAF, "an application took nothing more and went on to say something")                         \
	X(APP_STALL, "an application read nothing for longer than -o")                                       \
	X(WIRE_STALL, "the wire stood still for longer than -o")                                             \
	X(RESET_WITHOUT, "a leg that has no reset was to be reset")                                          \
	X(WIRE_RESET, "somebody reset the encrypted connection")                                             \
	X(CUT_ON_BOUNDARY, "somebody ended the stream between two packets")                                  \
	X(CUT_INSIDE, "somebody ended the stream inside a packet or the handshake")                          \
	X(FLIP, "bits were flipped")                                                                         \
	X(DROP, "bytes were dropped")                                                                        \
	X(DROP_PACKET, "whole packets were dropped")                                                         \
	X(REPEAT, "bytes were repeated")                                                                     \
	X(REPEAT_PACKET, "a packet was repeated")                                                            \
	X(REORDER, "packets changed places")                                                                 \
	X(INJECT, "bytes were put in")                                                                       \
	X(REFLECT, "what one end had said was sent back to it")                                              \
	X(IN_HANDSHAKE, "any of these, within the handshake")                                                \
	X(STRANGER, "a stranger came")                                                                       \
	X(STRANGER_REPLAYS, "a stranger repeated what a client had sent")                                    \
	X(OTHER_KEY, "the peer had another key")                                                             \
	X(SECOND_KEY, "the peer had another than the first of our keys, and was let in")                     \
	X(LYING_Y, "a peer with the key sent a y that nobody may send")                                      \
	X(LYING_LENGTH, "a peer with the key sent an impossible length")                                     \
	X(LAST_NUMBERS, "few packet numbers were left")                                                      \
	X(BOTH_F, "a handshake with -f on both sides")                                                       \
	X(ONE_F, "a handshake with -f on one side")                                                          \
	X(NO_F, "a handshake with forward secrecy")                                                          \
	X(JOB_FAILED, "a Diffie-Hellman job failed")                                                         \
	X(MATCH_FAILED, "finding out which key it is failed")                                                \
	X(MATCH_ORPHANED, "which key it was came out when the connection had gone")                          \
	X(KEYS_CHANGED, "the keys were read again while connections were there")                             \
	X(NO_KEYS_LEFT, "the last key was taken away")                                                       \
	X(CHANGED_HALF_WAY, "a handshake was done with the keys that it began with, after they had changed") \
	X(REMOVED_HALF_WAY, "a key was removed in the midst of its handshake, which was done nevertheless")  \
	X(KEY_WAS_GONE, "a client came with a key that was not there, or not any more")                      \
	X(REVOKED_STOPPED, "a key was removed, and a connection on it stopped")                              \
	X(REVOKED_LISTED, "a key was removed, and a connection on it went on")                               \
	X(RING_FREED, "the last who held keys that had changed let them go")                                 \
	X(JOB_ORPHANED, "a job came back when its connection had gone")                                      \
	X(ADDRESS_REFUSED, "an address refused")                                                             \
	X(ADDRESS_SILENT, "an address did not answer in time")                                               \
	X(ADDRESS_SHORT, "there was no descriptor or memory to try an address")                              \
	X(SECOND_ADDRESS, "a later address was connected to")                                                \
	X(WAITS_FOR_ROOM, "a connection waited for room under -n")                                           \
	X(ROOM_CAME, "it got in when another had gone")                                                      \
	X(PAUSED, "accepting was paused for -n")                                                             \
	X(SHORTAGE, "accept found no descriptors")                                                           \
	X(NO_SLOT, "all strangers' places were held by those who wait for room")                             \
	X(EVICTED_PROVED, "a stranger was evicted while its proof was under way")                            \
	X(DRAIN_IN_FLIGHT, "a drain began while connections were open or shook hands")                       \
	X(KILL_IN_FLIGHT, "a drain became a kill")                                                           \
	X(FAR_END, "spipe --exit-on-eof")                                                                    \
	X(HARMLESS, "a connection that nothing was done to: it ended well and whole")

enum happening {
#define X(name, text) HAPPENS_##name,
	HAPPENINGS(X)
#undef X
	    HAPPENINGS_COUNT
};

enum {
	MARK_EVENTS = 0,
	MARK_ACTIONS = MARK_EVENTS + (PIPE_STOP + 1) * PIPE_LEGS,
	MARK_VERDICTS = MARK_ACTIONS + (PIPE_OVER + 1) * PIPE_LEGS,
	MARK_HAPPENINGS = MARK_VERDICTS + ERROR_COUNT,
	MARKS = MARK_HAPPENINGS + HAPPENINGS_COUNT
};

struct tally {
	uint64_t seeds, connections, steps, bytes;
	uint64_t count[MARKS]; /* of seeds in which it came up */
};

/* `seen` has a byte a mark. */
void tally_add(struct tally *tally, const uint8_t seen[MARKS]);
void tally_join(struct tally *tally, const struct tally *other);

/* Prints all of it; false if something came up in less than a tenth of the seeds. */
bool tally_print(const struct tally *tally);

/* "READ", "SEND" and so on, as pipe.h has them. */
const char *tally_event(enum pipe_event_kind kind);
const char *tally_action(enum pipe_action_kind kind);

/* The leg as it is given, or -1 where the kind has none. */
int tally_event_leg(enum pipe_event_kind kind, enum pipe_leg leg);
int tally_action_leg(enum pipe_action_kind kind, enum pipe_leg leg);

#endif
