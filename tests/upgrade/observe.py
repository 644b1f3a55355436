"""Print what an installation answers, as JSON: `python -m tests.upgrade.observe OWNER QUERY …`. One process, so that models load once."""

import io
import json
import os
import sys
from typing import Any


def main(owner: str, queries: list[str]) -> dict[str, Any]:
    """Return the active spaces, the plan over everything, the answer to each query, and what reconciliation finds."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "heimdex.settings"
    import django

    django.setup()
    from videos.models import ActiveSpace

    spaces = ActiveSpace.objects.order_by("owner_id", "channel").values_list("owner_id", "channel", "space_id")
    return {
        "active_spaces": [[str(value) for value in row] for row in spaces],
        "plan": _command("reprocess_embeddings", "--scope", "all", "--dry-run"),
        "searches": {query: _command("search", query, "--owner", owner) for query in queries},
        "reconcile": _command("reconcile"),
    }


def _command(name: str, *arguments: str) -> Any:
    from django.core.management import CommandError, call_command

    output = io.StringIO()
    try:
        call_command(name, *arguments, "--json", stdout=output)
    except CommandError:
        # `reconcile` ends so when something does not add up; what it printed says what.
        if not output.getvalue():
            raise
    return json.loads(output.getvalue())


if __name__ == "__main__":
    json.dump(main(sys.argv[1], sys.argv[2:]), sys.stdout)
