"""Check a config, and say in one line what is wrong with it."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ValidationError

from candor.config.backbones import KNOWN
from candor.config.root import ENTRY, Config


class ConfigError(ValueError):
    """The config says something that cannot be; the message is one line per mistake."""


def load(raw: Mapping[str, Any]) -> Config:
    """Return the checked config.

    Parameters
    ----------
    raw
        The merged YAML files.

    Raises
    ------
    ConfigError
        With one line per mistake: the key, the value, what is allowed and a hint.
    """
    try:
        return Config.model_validate(dict(raw))
    except ValidationError as error:
        # A value that fits no member of a union is reported once per member; the first says enough.
        first = {
            _without_branches(_untagged(list(mistake["loc"])), raw): mistake for mistake in reversed(error.errors())
        }
        raise ConfigError("\n".join(_line(mistake, raw) for mistake in reversed(first.values()))) from None


def refuse(key: str, value: object, allowed: Iterable[str], what: str = "") -> ConfigError:
    """Return the error for a value that is not one of `allowed`."""
    options = list(allowed)
    shown = ", ".join(options) if options else "nothing"
    return ConfigError(f"config: {key} is {value!r}{what}; allowed: {shown}.{did_you_mean(str(value), options)}")


def refuse_key(key: str, allowed: Iterable[str]) -> ConfigError:
    """Return the error for a key whose last part is not one of `allowed`."""
    options = sorted(allowed)
    hint = did_you_mean(key.rpartition(".")[2], options)
    return ConfigError(f"config: {key} is not a known key; allowed: {', '.join(options)}.{hint}")


def _line(mistake: Any, raw: Mapping[str, Any]) -> str:
    tagged = [part for part in mistake["loc"] if part != "[key]"]
    where = _untagged(tagged)
    key = ".".join(str(part) for part in where)
    value = mistake["input"]
    match mistake["type"]:
        case "extra_forbidden":
            owners = _owners(tagged)
            if owners:
                return (
                    f"config: {key} is of no use to {tagged[-2]}, only to {', '.join(owners)}. Leave it out; where "
                    "another file says it, give your entry a name of its own"
                )
            return str(refuse_key(key, _fields_at(Config, tagged[:-1])))
        case "union_tag_not_found":
            tag = mistake["ctx"]["discriminator"].strip("'")
            known = f", or call the entry {', '.join(KNOWN)}" if where[0] == "backbones" else ""
            return f"config: {key}.{tag} is missing; allowed: {', '.join(_tags_at(Config, where))}{known}"
        case "union_tag_invalid":
            tag = mistake["ctx"]["discriminator"].strip("'")
            return str(refuse(f"{key}.{tag}", mistake["ctx"]["tag"], _tags_at(Config, where)))
        case "missing":
            return f"config: {key} is missing"
        case "literal_error":
            allowed = [option.strip("'") for option in mistake["ctx"]["expected"].replace(" or ", ", ").split(", ")]
            if mistake["loc"][-1] == "[key]":
                hint = did_you_mean(str(value), allowed)
                return f"config: {key} is not a known key; allowed: {', '.join(allowed)}.{hint}"
            return str(refuse(_without_branches(where, raw), value, allowed))
        case "no_effect" | "strength" | "refused" if _has(value, mistake.get("ctx", {}).get("key")):
            # Of a whole section only the key in question is of interest.
            own = mistake["ctx"]["key"]
            return f"config: {_without_branches(where, raw)}.{own} is {_at(value, own)!r}; {mistake['msg']}"
        case "model_type" if fields := _fields_at(Config, tagged):
            own = _without_branches(where, raw)
            return f"config: {own} is {value!r}, but takes keys of its own: {', '.join(sorted(fields))}"
        case "string_pattern_mismatch" if mistake["loc"][-1] == "[key]":
            return f"config: {key} is no name; names are made of letters, digits, - and _ ({ENTRY})"
        case _:
            said = mistake["msg"][0].lower() + mistake["msg"][1:]
            return f"config: {_without_branches(where, raw)} is {value!r}; {said}"


def _has(section: Any, key: str | None) -> bool:
    """Tell whether a section of the config says something of a key; one of a section within has a dot."""
    first, _, rest = (key or "").partition(".")
    if not isinstance(section, Mapping) or first not in section:
        return False
    return _has(section[first], rest) if rest else True


def _at(section: Any, key: str) -> Any:
    for part in key.split("."):
        section = section[part]
    return section


def did_you_mean(value: str, options: list[str]) -> str:
    """Return a closing sentence that names the option nearest to `value`, if one is near.

    >>> did_you_mean("loso", ["sessions", "leave_one_speaker_out"])
    " Did you mean 'leave_one_speaker_out'?"
    """
    initials = {"".join(word[:1] for word in option.split("_")): option for option in options if "_" in option}
    if value in initials:
        return f" Did you mean {initials[value]!r}?"
    near = difflib.get_close_matches(value, options, n=1, cutoff=0.3 if len(value) <= 4 else 0.6)
    return f" Did you mean {near[0]!r}?" if near else ""


def _without_branches(where: list[Any], raw: Any) -> str:
    """Drop the names of union members that pydantic puts at the end of a location."""
    parts = []
    for part in where:
        present = (isinstance(raw, Mapping) and part in raw) or (isinstance(raw, list) and isinstance(part, int))
        if not present:
            break
        parts.append(str(part))
        raw = raw[part]
    return ".".join(parts or map(str, where))


def _untagged(where: list[Any]) -> list[Any]:
    """Drop the tags that pydantic puts into a location behind an entry of several kinds."""
    return [part for place, part in enumerate(where) if part not in _tags_at(Config, where[:place])]


def _owners(tagged: list[Any]) -> list[str]:
    """Return the kinds of entry that have a key which another kind has not: `conv_layers` is of `cnn`, not of `gru`."""
    for found, rest in _walk(Config, tagged):
        kinds = _kinds(found)
        if len(rest) == 2 and rest[0] in kinds:
            return [name for name, entry in kinds.items() if rest[1] in entry.model_fields]
    return []


def _tags_at(annotation: Any, where: list[Any]) -> list[str]:
    """Return the kinds of entry that there may be at a location of the config; none if there is but one."""
    for found, rest in _walk(annotation, where):
        if not rest:
            return list(_kinds(found))
    return []


def _fields_at(annotation: Any, where: list[Any]) -> set[str]:
    """Return the keys allowed at a location of the config."""
    keys: set[str] = set()
    for found, rest in _walk(annotation, where):
        if not rest and isinstance(found, type) and issubclass(found, BaseModel):
            keys |= set(found.model_fields)
    return keys


def _walk(annotation: Any, where: list[Any]) -> Iterator[tuple[Any, list[Any]]]:
    """Follow a location into the types of the config; yield each type on the way and what is left to follow."""
    yield annotation, where
    arguments = typing.get_args(annotation)
    kinds = _kinds(annotation)
    if kinds and where:
        yield from _walk(kinds[where[0]], where[1:]) if where[0] in kinds else ()
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = annotation.model_fields.get(str(where[0])) if where else None
        if field is not None:
            tagged = Annotated[field.annotation, field] if field.discriminator else field.annotation
            yield from _walk(tagged, where[1:])
    elif typing.get_origin(annotation) is dict and where:
        yield from _walk(arguments[1], where[1:])
    elif typing.get_origin(annotation) in (typing.Union, types.UnionType):
        for member in arguments:
            yield from _walk(member, where)
    elif typing.get_origin(annotation) is Annotated:
        yield from _walk(arguments[0], where)


def _kinds(annotation: Any) -> dict[str, Any]:
    """Return the members of a union that a key tells apart, by the value of that key; empty for any other type."""
    if typing.get_origin(annotation) is not Annotated:
        return {}
    members, *notes = typing.get_args(annotation)
    key = next((note.discriminator for note in notes if getattr(note, "discriminator", None)), None)
    if key is None:
        return {}
    return {typing.get_args(member.model_fields[key].annotation)[0]: member for member in typing.get_args(members)}
