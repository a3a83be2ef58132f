/* gate.h: who may come in: what admission.h decides, between the thread that accepts and the workers. */
#ifndef NET_GATE_H
#define NET_GATE_H

#include "net/worker.h"
#include "pipe/admission.h"

/* Any thread, under its mutex: to ask costs less than to wake another thread up. A worker is told by a verdict. */
struct gate {
	uv_mutex_t mutex;
	const struct server_config *config;
	struct admission admission;
	void *memory;              /* admission's */
	struct accepted **by_slot; /* strangers and those who wait, by their slot */
	uint32_t strangers_most;   /* may be more than the cap; the accepting thread's alone */
	uint32_t count;            /* connections that are not over */
	uint32_t waiting;          /* those of them that have proved their key, for room under -n */
	uint32_t evicted;          /* those of them that were told to go */
	uint64_t warned_at[3];     /* when a limit was last named; by enum in gate.c */
	struct mailbox *acceptor;
	struct mail room;
	bool is_awaited;  /* the acceptor is to hear that somebody has gone, by MAIL_ROOM */
	bool is_room_out; /* that is in its mailbox */
};

/* 0, or a libuv error with everything undone. gate_free: when no worker is left. */
int gate_start(struct gate *gate, const struct server_config *config, struct mailbox *acceptor);
void gate_free(struct gate *gate);

/* The accepting thread: */

/*
 * Whether another may be accepted now: on -e everybody counts against -n, and has a place from then on; on -d a
 * stranger never does. false: MAIL_ROOM follows. gate_close gives back a place that nobody took.
 */
bool gate_open(struct gate *gate, uint64_t now);
void gate_close(struct gate *gate);

/* Finds a place for a connection, perhaps another's, and a worker. false: there is none, and its place is given back.
 */
bool gate_enter(struct gate *gate, struct accepted *accepted, const struct address *peer, struct worker *workers,
    unsigned worker_count, uint64_t now);

/* Descriptors or memory have run out: a stranger makes room, on -d; MAIL_ROOM follows. */
void gate_shortage(struct gate *gate, uint64_t now);

/* MAIL_ROOM has come: whether it is to come again as soon as somebody goes. Returns how many are left. */
uint32_t gate_look(struct gate *gate, bool is_awaited);

/* From now on it is to come whenever somebody goes. */
void gate_await(struct gate *gate);

uint32_t gate_count(struct gate *gate); /* any thread */

/* The connection's worker: */

/* It has proved its key. true: it is admitted; else MAIL_ADMITTED or MAIL_EVICTED follows. */
bool gate_proved(struct accepted *accepted);

/* A verdict has come. false: too late, and the connection is freed. */
bool gate_heard(struct accepted *accepted);

/* It is over: freed, now or when a verdict comes that is under way. */
void gate_gone(struct accepted *accepted);

#endif
