"""The pure core: no clock, no disk, no device, no thread, no log. Everything it needs arrives as a value."""
