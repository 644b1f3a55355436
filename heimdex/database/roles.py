"""The role that the application uses in the database: no superuser, with the rights that its queries need and no others."""

from typing import TYPE_CHECKING, Any

from django.db import connections

if TYPE_CHECKING:
    import psycopg

APPLICATION_ROLE = "heimdex_app"
# Its owner alone can build and drop the vector indexes of spaces, which is a part of normal work.
INDEXED_TABLE = "videos_sceneembedding"
_MIGRATIONS = "django_migrations"

_CREATE = f"""
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APPLICATION_ROLE}') THEN CREATE ROLE {APPLICATION_ROLE}; END IF;
END $$;
"""
_LIMIT = f"ALTER ROLE {APPLICATION_ROLE} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD "
# Without a language the role cannot define functions. A function of its own could take the place of one of the server's (such as
# lower(varchar) of lower(text)) in a statement of a migration, and do what a superuser may.
_FORBID_FUNCTIONS = "REVOKE USAGE ON LANGUAGE sql, plpgsql FROM PUBLIC"
# The default privileges cover the tables of later migrations.
GRANT_RIGHTS = f"""
GRANT USAGE, CREATE ON SCHEMA public TO {APPLICATION_ROLE};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {APPLICATION_ROLE};
GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO {APPLICATION_ROLE};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {APPLICATION_ROLE};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO {APPLICATION_ROLE};
DO $$ BEGIN
    IF to_regclass('public.{_MIGRATIONS}') IS NOT NULL THEN
        REVOKE INSERT, UPDATE, DELETE ON public.{_MIGRATIONS} FROM {APPLICATION_ROLE};
    END IF;
    IF EXISTS (
        SELECT FROM pg_tables WHERE schemaname = 'public' AND tablename = '{INDEXED_TABLE}' AND tableowner <> '{APPLICATION_ROLE}'
    ) THEN
        ALTER TABLE public.{INDEXED_TABLE} OWNER TO {APPLICATION_ROLE};
    END IF;
END $$;
"""
# Whether the role exists and the current one may give it rights and tables.
CAN_GRANT_RIGHTS = f"""
SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APPLICATION_ROLE}' AND pg_has_role(current_user, oid, 'MEMBER'))
    AND current_user <> '{APPLICATION_ROLE}'
"""


def ensure_application_role(superuser: "psycopg.Connection", password: str) -> None:
    """Create the role, or take back rights that it should not have, and set its password (URL-safe characters only)."""
    with superuser.transaction():
        superuser.execute(_CREATE)
        superuser.execute(f"{_LIMIT} '{password}'".encode())
        superuser.execute(GRANT_RIGHTS)
        superuser.execute(_FORBID_FUNCTIONS)


def set_role_password(superuser: "psycopg.Connection", role: str, password: str) -> None:
    """Set the password of a role (URL-safe characters only). The server logs no password: it gets a hash (SCRAM-SHA-256)."""
    hashed = superuser.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    superuser.execute(f"ALTER ROLE {role} PASSWORD '{hashed}'".encode())


def grant_rights_after_migration(using: str, **kwargs: Any) -> None:
    """Grant the application's rights on what a migration has created, when the role of that migration can. A receiver of `post_migrate`."""
    with connections[using].cursor() as cursor:
        cursor.execute(CAN_GRANT_RIGHTS)
        if cursor.fetchone()[0]:
            cursor.execute(GRANT_RIGHTS)
