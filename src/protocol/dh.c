/* dh.c: runs the costly step of a handshake (C4, S5, C6, S6). */
#include "protocol/dh.h"

#include "base/bytes.h"

void
dh_job_run(struct dh_job *job)
{
	enum error error = OK;

	if (job->wants_y)
		error = group14_public(job->x, job->y);
	if (error == OK && job->wants_shared)
		error = group14_shared(job->peer_y, job->x, job->shared);
	job->error = error;
}

void
dh_job_wipe(struct dh_job *job)
{
	bytes_wipe(job, sizeof *job);
}
