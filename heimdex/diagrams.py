"""Diagrams of the tables and of the states, drawn from the models as Mermaid text."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import apps
from django.db.models import Field, ForeignKey, Model

# The apps of this project, the lowest first. `heimdex` must not import the others, so their models come from the app registry.
APPS = ("accounts", "outages", "videos", "people", "reprocess")

_HEAD = """# Diagrams

Generated from the models by `manage.py diagrams --write`; a test compares this page with them. Change the models, not this page.
"""


def render_diagrams() -> str:
    """Return the page with all diagrams."""
    models = [model for label in APPS for model in apps.get_app_config(label).get_models()]
    parts = [_HEAD, "\n## Tables\n\nAll tables and their foreign keys. Every table with an `owner` belongs to one tenant.\n\n"]
    parts.append(_fence(["erDiagram", *_draw_relations(models)]))
    for label in APPS:
        parts.append(f"\n### Columns of {label}\n\n")
        parts.append(_fence(["erDiagram", *(line for model in models if model._meta.app_label == label for line in _draw_columns(model))]))
    for model in models:
        if hasattr(model, "TRANSITIONS"):
            name = str(model._meta.verbose_name)
            parts.append(f"\n## {name.capitalize()}\n\nStates of `{model.__name__}`.\n\n")
            parts.append(_fence(["stateDiagram-v2", *_draw_transitions(model)]))
    return "".join(parts)


def _fence(lines: Iterable[str]) -> str:
    return "```mermaid\n" + "\n".join(lines) + "\n```\n"


def _draw_relations(models: Sequence[type[Model]]) -> list[str]:
    """Return a line per foreign key between these models."""
    lines = []
    for model in models:
        for field in model._meta.get_fields():
            if isinstance(field, ForeignKey) and field.related_model in models:
                parent = "|o" if field.null else "||"
                child = "o|" if field.unique else "o{"
                lines.append(f"    {_get_name(field.related_model)} {parent}--{child} {model.__name__} : {field.name}")
    return lines


def _draw_columns(model: type[Model]) -> list[str]:
    return [f"    {model.__name__} {{", *(f"        {_draw_column(field)}" for field in model._meta.concrete_fields), "    }"]


def _draw_column(field: "Field[Any, Any]") -> str:
    key = " PK" if field.primary_key else " FK" if isinstance(field, ForeignKey) else ""
    return f"{field.get_internal_type()} {field.attname}{key}"


def _get_name(model: Any) -> str:
    return str(model.__name__)


def _draw_transitions(model: Any) -> list[str]:
    """Return the initial state, all transitions, and the states that nothing leaves."""
    transitions = [(str(before), str(after), when) for before, after, when in model.TRANSITIONS]
    left = {before for before, _, _ in transitions}
    ends = [state for state in model.State.values if state not in left]
    return [
        f"    [*] --> {model._meta.get_field('state').default}",
        *(f"    {before} --> {after} : {when}" for before, after, when in transitions),
        *(f"    {state} --> [*]" for state in ends),
    ]
