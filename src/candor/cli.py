"""The command `candor`: look at results, and look after the store.

candor show performance/demo
candor store verify [--repair]
candor store gc [--dry-run]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from candor.config.loading import ConfigError
from candor.runtime import Explained, start_logging
from candor.store.objects import Store, StoreError
from candor.store.upkeep import collect_garbage, forget, projects, verify


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    options = _parser().parse_args(arguments)
    start_logging(None)
    try:
        sys.exit(options.run(options))
    except (Explained, ConfigError, OSError) as error:
        sys.exit(f"candor: {error}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="candor", description="Look at results, and look after the store.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    show = commands.add_parser("show", help="print the table of a results folder and where its figures are")
    show.add_argument("folder", help="for example performance/demo, or results/performance/demo")
    show.add_argument("--project", type=Path, help="project_dir (default: what config/config.yml says)")
    show.add_argument("--report", type=Path, help="a report to point to")
    show.set_defaults(run=_show)

    store = commands.add_parser("store", help="verify the store, or free what nothing needs")
    actions = store.add_subparsers(required=True, metavar="ACTION")
    check = actions.add_parser("verify", help="read every member and compare it with its name")
    check.add_argument("--repair", action="store_true", help="remove what is damaged; the next run makes it anew")
    check.set_defaults(run=_verify)
    gc = actions.add_parser("gc", help="remove members that no index needs any more")
    gc.add_argument("--dry-run", action="store_true", help="only say what would go")
    gc.add_argument("--days", type=float, default=30.0, help="keep what was made or used since (default: 30)")
    gc.add_argument("--forget", type=Path, action="append", default=[], help="a project that is no more")
    gc.set_defaults(run=_collect)
    for action in (check, gc):
        action.add_argument("--store", type=Path, help="the store (default: what config/config.yml says)")
    return parser


def _show(options: argparse.Namespace) -> int:
    from candor.performance.show import find_summaries, summary_text

    parts = Path(options.folder).parts
    project = options.project.expanduser() if options.project else _configured()[0]
    folder = project.joinpath(*parts[1:] if parts[:1] == ("results",) else parts)
    summaries = find_summaries(folder)
    if not summaries or not folder.resolve().is_relative_to(project.resolve()):
        print(
            f"candor: there is no summary.tsv below {folder}; `snakemake --cores all results/performance` makes some "
            f"in {project}/performance",
            file=sys.stderr,
        )
        return 1
    print(summary_text(summaries))
    for kind, files in {
        "tables": summaries,
        "figures": sorted(folder.rglob("*.png")),
        "report": [options.report] if options.report and options.report.exists() else [],
    }.items():
        for file in files:
            print(f"{kind:8} {file}")
    return 0


def _verify(options: argparse.Namespace) -> int:
    store = _existing(options.store or _configured()[1])
    findings = verify(store, repair=options.repair)
    print(f"{findings.whole} whole, {len(findings.damaged)} damaged, {len(findings.missing)} missing")
    for state, members in (("damaged", findings.damaged), ("missing", findings.missing)):
        for member in members:
            print(f"{state}  {member}")
    for index in findings.indexes:
        print(f"{'removed' if options.repair else 'concerns'}  {index}")
    if findings.sound:
        return 0
    if options.repair:
        print("Run the same snakemake command again: only what is missing is made anew.")
        return 0
    print("`candor store verify --repair` removes what is damaged; the next run makes it anew.")
    return 1


def _collect(options: argparse.Namespace) -> int:
    store = _existing(options.store or _configured()[1])
    for project in options.forget:
        forget(store, project)
    freed = collect_garbage(store, days=options.days, dry=options.dry_run)
    would = "would be " if options.dry_run else ""
    users = ", ".join(map(str, projects(store))) or "none"
    what = f"{freed.members} members" + (f" and {freed.unfinished} unfinished files" if freed.unfinished else "")
    print(f"{what} ({freed.size / 1e6:.1f} MB) {would}removed, {freed.kept} kept; projects: {users}")
    return 0


def _configured() -> tuple[Path, Path]:
    """Return project_dir and the store as config/config.yml of the current folder has them."""
    import yaml

    from candor.config.loading import load

    file = Path("config", "config.yml")
    config = load(yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else {})
    project = Path(config.project_dir).expanduser()
    return project, Path(config.store_dir).expanduser() if config.store_dir else project / "store"


def _existing(root: Path) -> Store:
    if not (root / "objects").is_dir():
        raise StoreError(f"{root} is no store; name it with --store (store_dir of the config, or project_dir/store)")
    return Store(root)
