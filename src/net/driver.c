/* driver.c: what all connections of one loop share, made and unmade; see connection.h. */
#include "net/connection.h"

int
driver_start(struct driver *driver)
{
	driver->engine = engine_new(driver->backend);
	if (driver->engine != NULL && pool_start(&driver->pool))
		return 0;
	driver_stop(driver);
	return UV_ENOMEM;
}

void
driver_stop(struct driver *driver)
{
	engine_free(driver->engine);
	pool_free(&driver->pool);
}
