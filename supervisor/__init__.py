"""How jobs run: master, worker processes, control socket, configuration, logs, command line and web."""
