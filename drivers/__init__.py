"""Device drivers: one device, one file. `protocols` says what may be asked of one."""
