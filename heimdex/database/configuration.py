"""The content of the embedded server's configuration files."""

# Every login needs the password and comes from the loopback interface.
CLIENT_AUTHENTICATION = "host all all 127.0.0.1/32 scram-sha-256\n"

_SMALL_MACHINE = {
    "listen_addresses": "127.0.0.1",
    # A socket path is limited to 107 bytes; a checkout's path is often longer.
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "jit": "off",
    # Containers limit /dev/shm to 64 MB, less than one parallel build of a vector index needs.
    "dynamic_shared_memory_type": "mmap",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_line_prefix": "%m [%p] %a ",
}
_DISPOSABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def render_postgresql_conf(port: int, *, durable: bool) -> str:
    """Return postgresql.conf for a machine with about 4 GB of memory; `durable=False` risks the data in a power failure, for fast tests."""
    settings = {**_SMALL_MACHINE, "port": str(port), **({} if durable else _DISPOSABLE)}
    lines = [f"{name} = '{value}'" for name, value in settings.items()]
    return "\n".join(["# Rewritten at every start. Change settings with ALTER SYSTEM, which takes precedence.", *lines, ""])
