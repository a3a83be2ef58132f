/* driver.c: what all connections of one loop share, made and unmade; see connection.h. */
#include "net/connection.h"

int
driver_start(struct driver *driver)
{
	int status = job_queue_start(&driver->powers, driver->loop, driver->job_limit);

	if (status != 0)
		return status;
	status = job_queue_start(&driver->matches, driver->loop, 1);
	if (status != 0) {
		job_queue_stop(&driver->powers);
		return status;
	}
	driver->engine = engine_new(driver->backend);
	if (driver->engine != NULL && pool_start(&driver->pool))
		return 0;
	driver_stop(driver);
	return UV_ENOMEM;
}

void
driver_stop(struct driver *driver)
{
	job_queue_stop(&driver->powers);
	job_queue_stop(&driver->matches);
	engine_free(driver->engine);
	pool_free(&driver->pool);
}
