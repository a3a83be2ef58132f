/* load.c: the load generator: makes one kind of load on a TCP address, serves the far end of it, prints one line of
 * JSON. */
#include "load.h"
#include "net.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char usage[] =
    "usage: load MODE --connect IP:PORT --listen IP:PORT [OPTION N]...\n"
    "Opens connections to --connect and serves those that arrive at --listen; what is measured joins the two.\n"
    "  bulk        one way, as fast as it goes, counted where it arrives\n"
    "  roundtrip   messages that come back, in a closed loop on each connection\n"
    "  connect     new connections; each sends a message, gets it back and closes\n"
    "  storm       round trips on one connection, first alone and then while others connect at --rate\n"
    "  idle        opens connections, one byte echoed on each; holds them until standard input ends\n"
    "  --connections N (1)   at once           --seconds S (2)    measured, after --warm-up S (0.5)\n"
    "  --size BYTES (64)     of a message; of one send for bulk (262144)\n"
    "  --count N (none)      messages or connections, then stop; there is no warm-up then\n"
    "  --rate N (most)       connections a second\n"
    "  --interval-us N (0)   from one round trip to the next\n"
    "  --listen-netns PATH   serve in that network namespace\n";

static const struct mode {
	const char *name;
	void (*run)(const struct options *);
	unsigned size;
} modes[] = {
    {"bulk", bulk_run, 256 * 1024},
    {"roundtrip", rounds_run, 64},
    {"connect", opened_run, 64},
    {"storm", storm_run, 64},
    {"idle", idle_run, 1},
};

static double
number(const char *text, double least, double most)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end != '\0' || !(value >= least && value <= most))
		die("%s is not a number from %g to %g", text, least, most);
	return value;
}

static void
options_parse(struct options *options, int argc, char **argv)
{
	static const struct option names[] = {{"connect", required_argument, NULL, 'c'},
	    {"listen", required_argument, NULL, 'l'}, {"listen-netns", required_argument, NULL, 'N'},
	    {"connections", required_argument, NULL, 'n'}, {"seconds", required_argument, NULL, 't'},
	    {"warm-up", required_argument, NULL, 'w'}, {"count", required_argument, NULL, 'C'},
	    {"size", required_argument, NULL, 's'}, {"rate", required_argument, NULL, 'r'},
	    {"interval-us", required_argument, NULL, 'i'}, {0}};
	int option;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (option == 'c')
			options->connect = address_parse(optarg);
		else if (option == 'l')
			options->listen = address_parse(optarg);
		else if (option == 'N')
			options->netns = optarg;
		else if (option == 'n')
			options->connections = (unsigned)number(optarg, 1, 30000);
		else if (option == 't')
			options->seconds = number(optarg, 0.1, 600);
		else if (option == 'w')
			options->warm_up = number(optarg, 0, 60);
		else if (option == 'C')
			options->count = (unsigned)number(optarg, 1, 1e7);
		else if (option == 's')
			options->size = (unsigned)number(optarg, 1, MESSAGE_MAX);
		else if (option == 'r')
			options->rate = (unsigned)number(optarg, 1, 1e6);
		else if (option == 'i')
			options->interval_us = (unsigned)number(optarg, 1, 1e7);
		else
			die("%s", usage);
	}
	if (options->count != 0)
		options->warm_up = 0;
	if (optind != argc || options->connect.sin_port == 0 || options->listen.sin_port == 0)
		die("%s", usage);
}

int
main(int argc, char **argv)
{
	struct options options = {.connections = 1, .warm_up = 0.5, .seconds = 2};

	for (size_t i = 0; argc > 1 && i < sizeof(modes) / sizeof(*modes); i++) {
		if (strcmp(argv[1], modes[i].name) != 0)
			continue;
		options.size = modes[i].size;
		options_parse(&options, argc - 1, argv + 1);
		signal(SIGPIPE, SIG_IGN);
		files_raise_limit();
		modes[i].run(&options);
		/* Its server's thread still runs, and what it measured with dies with the process. */
		fflush(stdout);
		_exit(0);
	}
	fputs(usage, stderr);
	return 1;
}

/* In small groups: a program with a short queue for connections drops what comes beyond it, and that costs a second. */
#define GROUP 8u

int *
connections_open(const struct options *options)
{
	int *connections = calloc(options->connections, sizeof(*connections));
	unsigned done = 0;
	char byte = '1';

	if (connections == NULL)
		die("no memory");
	while (done < options->connections) {
		unsigned group = options->connections - done < GROUP ? options->connections - done : GROUP;

		for (unsigned i = done; i < done + group; i++) {
			connections[i] = net_connect(&options->connect);
			if (send(connections[i], &byte, 1, 0) != 1)
				die("connection %u does not take a byte: %s", i + 1, strerror(errno));
		}
		for (unsigned i = done; i < done + group; i++) {
			if (recv(connections[i], &byte, 1, 0) != 1)
				die("connection %u: its first byte does not come back", i + 1);
		}
		done += group;
	}
	printf("{\"event\": \"open\", \"connections\": %u}\n", options->connections);
	fflush(stdout);
	return connections;
}

void
idle_run(const struct options *options)
{
	static struct server server; /* its thread outlives this call */
	char byte;

	server_start(&server, options, true);
	free(connections_open(options));
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
}
