"""Write what is generated from the config models: the JSON schema and the reference page.

python -m candor.config.reference [--check]
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from candor.config.root import NAMED, Config

ROOT = Path(__file__).resolve().parents[3]
INTRODUCTION = """# Every key of the config

Made from the models in `src/candor/config/` by `make docs`; do not edit. Editors that know YAML schemas complete
and check `config/config.yml` as you type, because its first line names `config/schema.json`.

How to fill it in, with examples: [`config/README.md`](../config/README.md).
"""


def schema() -> dict[str, Any]:
    """Return the JSON schema of the config."""
    made = Config.model_json_schema()
    for key in NAMED:
        # `name:` alone is an entry with all defaults, `name: false` none at all.
        entries = made["properties"][key]
        pattern = entries.get("patternProperties", {})
        for name, entry in pattern.items():
            pattern[name] = {"anyOf": [entry, {"type": "null"}, {"const": False}]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": "Candor's config"}


def reference() -> str:
    """Return the reference page."""
    made = Config.model_json_schema()
    lines = [INTRODUCTION]
    lines += _section("Top level", made, made)
    for name, part in made["$defs"].items():
        lines += _section(name, part, made)
    return "\n".join(lines) + "\n"


def _section(title: str, part: dict[str, Any], whole: dict[str, Any]) -> list[str]:
    lines = [f"## {title}", "", str(part.get("description", "")).replace("\n", " "), ""]
    lines += ["| key | what may stand there | default | meaning |", "|---|---|---|---|"]
    for key, field in part["properties"].items():
        default = json.dumps(field["default"], ensure_ascii=False) if "default" in field else "required"
        shown = f"`{default}`" if len(default) <= 60 else "see [config.yml](../config/config.yml)"
        examples = "; ".join(f"`{json.dumps(example, ensure_ascii=False)}`" for example in field.get("examples", []))
        meaning = " ".join(str(field.get("description", "")).split()) + (f" Example: {examples}" if examples else "")
        lines.append(f"| `{key}` | {_kind(field)} | {shown} | {meaning} |")
    return [*lines, ""]


def _kind(field: dict[str, Any]) -> str:
    if "$ref" in field:
        name = field["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    for several in ("anyOf", "oneOf"):
        if several in field:
            return " or ".join(dict.fromkeys(_kind(option) for option in field[several]))
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return ", ".join(f"`{option}`" for option in field["enum"])
    match field.get("type"):
        case "object":
            value: dict[str, Any] = field.get("additionalProperties") or next(
                iter(field.get("patternProperties", {}).values()), {}
            )
            return f"names, each with {_kind(value)}"
        case "array":
            return f"a list of {_kind(field['items'])}"
        case "null":
            return "empty"
        case "integer" | "number" as kind:
            return f"{kind}{_bounds(field)}"
        case "string":
            return "text"
        case other:
            return str(other)


def _bounds(field: dict[str, Any]) -> str:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    bounds = [f"{sign} {field[key]:g}" for key, sign in signs.items() if key in field]
    return f" {', '.join(bounds)}" if bounds else ""


def main() -> None:
    """Write both files, or check that they are as they would be written."""
    parser = argparse.ArgumentParser(description="Write config/schema.json and docs/config.md.")
    parser.add_argument("--check", action="store_true", help="only tell whether they are up to date")
    check = parser.parse_args().check
    stale = []
    for path, text in generated().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(str(path.relative_to(ROOT)))
            if not check:
                path.write_text(text, encoding="utf-8")
    if check and stale:
        sys.exit(f"{', '.join(stale)} no longer match the models in src/candor/config; run `make docs`")


def generated() -> dict[Path, str]:
    """Return the generated files and their texts."""
    return {
        ROOT / "config" / "schema.json": json.dumps(schema(), indent=2, ensure_ascii=False) + "\n",
        ROOT / "docs" / "config.md": reference(),
    }


if __name__ == "__main__":
    main()
