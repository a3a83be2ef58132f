/*
 * prove_connection.c: how bytes are read: src/net/connection.c's read_leg, which tells the pipe, src/net/leg.c's
 * read_socket and src/net/socket.c's socket_read: with every offset behind what an earlier read has left, every size of
 * a read, any number of bytes that come of it, and any error of the kernel's.
 */
#include "net/connection.c"
#include "stand_in.h"
#include "unknown.h"

enum { SIZES = 5 };

static const size_t sizes[SIZES] = {16, 32, 64, 128, 256};
static uint8_t in[PIPE_IN_SIZE];
static uv_loop_t loop;
static struct pipe_settings settings;
static struct driver driver = {.loop = &loop, .settings = &settings, .pool = {.in = in}};

static void
read_one(struct connection *c, enum pipe_leg which)
{
	c->legs[which].hung_up = unknown_bool();
	read_leg(c, which);
	//@ slevel merge;
}

static void
every_read(struct connection *c)
{
	asked = (struct asked){0, 0, 0};
	/* the handshake's */
	//@ loop unroll 288;
	for (size_t length = 1; length <= WIRE_Y_AND_MAC; length++) {
		asked.length = length;
		read_one(c, PIPE_CIPHER);
	}
	//@ loop unroll 5;
	for (int i = 0; i < SIZES; i++) {
		asked = (struct asked){0, sizes[i], sizes[i] * WIRE_PLAIN_MAX};
		read_one(c, PIPE_PLAIN);
		asked.length = sizes[i] * WIRE_PACKET;
		read_one(c, PIPE_CIPHER);
	}
	asked.packets = PIPE_READ_LARGE;
	//@ loop unroll 1060;
	for (size_t offset = 0; offset < WIRE_PACKET; offset++) {
		asked.offset = offset;
		asked.length = PIPE_IN_SIZE - offset;
		read_one(c, PIPE_CIPHER);
	}
}

int
main(void)
{
	static struct connection c;
	int fd = (int)unknown_size(0, 1023);

	errno = 0; /* or anything: only a call that failed is asked for it, and that has set it */
	unknown_bytes(in, sizeof in);
	c.driver = &driver;
	c.legs[PIPE_CIPHER].which = PIPE_CIPHER;
	if (leg_open_socket(&c.legs[PIPE_PLAIN], &loop, fd, &connection_legs, &c) != 0 ||
	    leg_open_socket(&c.legs[PIPE_CIPHER], &loop, fd, &connection_legs, &c) != 0)
		return 1;
	every_read(&c);
	return 0;
}
