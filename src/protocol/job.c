/* job.c: runs the costly steps of a handshake (S3, S4; C4, S5, C6, S6). */
#include "protocol/job.h"

#include "base/bytes.h"

/* S3, S4 */
static enum error
run_match(struct job_match *match)
{
	return keyring_match(
	    match->keyring, match->nonces, match->y_and_mac, match->y_and_mac + WIRE_Y, &match->key, match->dk_1);
}

/* C4, S5, C6, S6 */
static enum error
run_powers(struct job *job)
{
	enum error error = OK;

	if (job->wants_y)
		error = group14_public(job->x, job->y);
	if (error == OK && job->wants_shared)
		error = group14_shared(job->peer_y, job->x, job->shared);
	return error;
}

void
job_run(struct job *job)
{
	job->error = job->kind == JOB_MATCH ? run_match(&job->match) : run_powers(job);
}

void
job_wipe(struct job *job)
{
	bytes_wipe(job, sizeof *job);
}
