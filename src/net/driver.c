/* driver.c: what all connections of one loop share, made and unmade; see connection.h. */
#include "net/connection.h"

int
driver_start(struct driver *driver)
{
	int status = dh_queue_start(&driver->dh_queue, driver->loop, driver->dh_limit);

	if (status != 0)
		return status;
	driver->engine = engine_new(driver->backend);
	if (driver->engine != NULL && pool_start(&driver->pool))
		return 0;
	driver_stop(driver);
	return UV_ENOMEM;
}

void
driver_stop(struct driver *driver)
{
	dh_queue_stop(&driver->dh_queue);
	engine_free(driver->engine);
	pool_free(&driver->pool);
}
