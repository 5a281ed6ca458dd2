"""The command `candor`: look at corpora and results, use trained models, and look after the store.

candor corpora [NAME]
candor show corpora/demo
candor show performance/demo
candor show fairness/demo
candor predict FILE… --model results/models/demo/apc_demo/cnn
candor store verify [--repair]
candor store gc [--dry-run]
"""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from candor.config.loading import ConfigError, did_you_mean
from candor.runtime import DeviceError, Explained, start_logging, use_device
from candor.store.objects import Store, StoreError
from candor.store.upkeep import collect_garbage, forget, projects, verify
from candor.tables.base import TableError

if TYPE_CHECKING:
    from candor.config.root import Config


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    options = _parser().parse_args(arguments)
    start_logging(None)
    try:
        code = options.run(options)
        sys.stdout.flush()
        sys.exit(code)
    except BrokenPipeError:  # a pager, or `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except (Explained, ConfigError, OSError) as error:
        sys.exit(f"candor: {error}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="candor", description="Look at corpora and results, use trained models, and look after the store."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    corpora = commands.add_parser("corpora", help="list the known corpora: licences, classes, layouts, paths")
    corpora.add_argument("name", nargs="?", help="print all that is known of this one")
    corpora.set_defaults(run=_corpora)

    show = commands.add_parser("show", help="print what a results folder holds and where its figures are")
    show.add_argument(
        "folders", nargs="+", metavar="folder", help="for example performance/demo, or results/corpora/demo"
    )
    show.add_argument("--project", type=Path, help="project_dir (default: what config/config.yml says)")
    show.add_argument("--report", type=Path, help="a report to point to")
    show.set_defaults(run=_show)

    predict = commands.add_parser("predict", help="label recordings with trained models")
    predict.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a recording, or a folder of recordings")
    predict.add_argument(
        "--model",
        nargs="+",
        action="extend",
        required=True,
        type=Path,
        metavar="PATH",
        help="a trained model, or a folder: what all models in it say is averaged "
        "(for example results/models/demo/apc_demo/cnn)",
    )
    predict.add_argument("--weights", type=Path, metavar="DIR", help="the backbone's files, if models were moved")
    predict.add_argument("--output", type=Path, metavar="FILE.tsv", help="write a table with all digits as well")
    predict.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="default: auto")
    predict.set_defaults(run=_predict)

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
    for command in (corpora, show, check, gc):
        command.add_argument(
            "--configfile",
            type=Path,
            nargs="+",
            action="extend",
            default=[],
            help="laid over config/config.yml, later ones over earlier ones, as snakemake does",
        )
    return parser


def _corpora(options: argparse.Namespace) -> int:
    from candor.corpora.show import corpora_text, corpus_text, spelled

    paths = _paths(options.configfile)
    if options.name:
        print(corpus_text(options.name, paths.get(spelled(options.name), {}), _width()))
    else:
        print(corpora_text(paths, _width()))
    return 0


def _show(options: argparse.Namespace) -> int:
    project = options.project.expanduser() if options.project else _configured(options.configfile)[0]
    seen = []
    for name in options.folders:
        folder = _results_folder(project, name)
        found = [(place, told) for place, view in _views(project, folder) if (told := view(place))]
        if not found:
            print(f"candor: {_nothing_to_show(project, folder)}", file=sys.stderr)
            return 1
        seen += found
    for place, (text, tables) in seen:
        print(text)
        for kind, files in {"tables": tables, "figures": sorted(place.rglob("*.png"))}.items():
            for file in files:
                print(f"{kind:8} {file}")
    if options.report and options.report.exists():
        print(f"report   {options.report}")
    return 0


Viewer = Callable[[Path], tuple[str, list[Path]] | None]
"""Takes a folder; returns what there is to say of it and the tables that say it in full, if there are any."""


def _view_corpora(folder: Path) -> tuple[str, list[Path]] | None:
    from candor.corpora.show import counts_text, find_counts, tables_beside

    counts = find_counts(folder)
    return (f"{counts_text(counts, _width())}\n", tables_beside(counts)) if counts else None


def _view_performance(folder: Path) -> tuple[str, list[Path]] | None:
    from candor.performance.show import comparison_text, find_summaries, summary_text
    from candor.tables.comparison import Comparison

    summaries = find_summaries(folder)
    if not summaries:
        return None
    compared = [file for summary in summaries if (file := summary.with_name(Path(Comparison.path).name)).exists()]
    text = "\n\n".join(filter(None, [summary_text(summaries), comparison_text(compared)]))
    return f"{text}\n", [*summaries, *compared]


def _view_cost(folder: Path) -> tuple[str, list[Path]] | None:
    from candor.cost.show import cost_text, timings_beside
    from candor.tables.cost import CostSummary

    summaries = CostSummary.found_in(folder)
    timings = timings_beside(summaries)
    return (f"{cost_text(summaries, timings)}\n", [*summaries, *timings]) if summaries else None


def _view_leakage(folder: Path) -> tuple[str, list[Path]] | None:
    from candor.leakage.show import inversion_text, leakage_text
    from candor.tables.leakage import Inversions, LeakageSummary

    summaries, inverted = LeakageSummary.found_in(folder), Inversions.found_in(folder)
    text = "\n\n".join(filter(None, [leakage_text(summaries), inversion_text(inverted)]))
    return (f"{text}\n", [*summaries, *inverted]) if text else None


def _view_summaries(stage: str, table: str) -> Viewer:
    """Return what shows the tables of a stage that are over all systems of a dataset.

    Parameters
    ----------
    stage
        The stage; `candor.<stage>.show` has a function `<stage>_text` that takes the files.
    table
        The contract of these tables in `candor.tables.<stage>`.
    """

    def view(folder: Path) -> tuple[str, list[Path]] | None:
        contract = getattr(importlib.import_module(f"candor.tables.{stage}"), table)
        summaries = contract.found_in(folder)
        text = getattr(importlib.import_module(f"candor.{stage}.show"), f"{stage}_text")
        return (f"{text(summaries)}\n", summaries) if summaries else None

    return view


VIEWERS: dict[str, Viewer] = {
    "corpora": _view_corpora,
    "performance": _view_performance,
    "fairness": _view_summaries("fairness", "FairnessSummary"),
    "attack": _view_summaries("attack", "AttackSummary"),
    "privacy": _view_summaries("privacy", "PrivacySummary"),
    "robustness": _view_summaries("robustness", "RobustnessSummary"),
    "cost": _view_cost,
    "trust": _view_summaries("trust", "TrustProfile"),
    "federated": _view_summaries("federated", "FederatedSummary"),
    "leakage": _view_leakage,
}
"""The stages whose folders can be shown."""


def _results_folder(project: Path, name: str) -> Path:
    """Return a folder of the project; a corpus may be written with hyphens, as its authors do."""
    parts = Path(name).parts
    parts = parts[1:] if parts[:1] == ("results",) else parts
    spellings = [parts, tuple(part.replace("-", "_") if place == 1 else part for place, part in enumerate(parts))]
    folders = [project.joinpath(*spelling) for spelling in spellings]
    return next((folder for folder in folders if folder.exists()), folders[0])


def _views(project: Path, folder: Path) -> list[tuple[Path, Viewer]]:
    """Return the folders to look at, and what looks at them: of the whole project, those of every stage."""
    if not folder.resolve().is_relative_to(project.resolve()):
        return []
    stage, *_ = *folder.resolve().relative_to(project.resolve()).parts, ""
    if not stage:
        return [(project / stage, view) for stage, view in VIEWERS.items()]
    return [(folder, VIEWERS[stage])] if stage in VIEWERS else []


def _nothing_to_show(project: Path, folder: Path) -> str:
    there = [
        f"{stage}/{found.name}" for stage in VIEWERS for found in sorted((project / stage).glob("*")) if found.is_dir()
    ]
    name = str(folder.relative_to(project)) if folder.is_relative_to(project) else str(folder)
    whole = "/".join(Path(name).parts[:2])
    if whole in there:  # only some of it was asked for: tables over all systems are not made yet
        return f"{folder} holds nothing that can be shown yet; `snakemake --cores all results/{whole}` makes it"
    known = f"; what can: {', '.join(there)}.{did_you_mean(name, there)}" if there else "."
    make = " ".join(f"results/{stage}" for stage in VIEWERS)
    return f"{folder} holds nothing that can be shown{known} `snakemake --cores all {make}` makes all that can"


def _predict(options: argparse.Namespace) -> int:
    from candor.models.ensemble import Ensemble
    from candor.models.predicting import find_recordings, label, write_labelled
    from candor.models.show import labelled_text

    if options.output and options.output.suffix != ".tsv":
        raise TableError(
            f"--output {options.output}: a tab-separated table is written; give it a name that ends in .tsv"
        )
    recordings, ensemble = find_recordings(options.files), Ensemble.of(options.model)
    labelled = label(recordings, ensemble, options.weights, _device(options.device))
    if labelled.rows:
        print(labelled_text(labelled, ensemble))
        if options.output:
            write_labelled(labelled, ensemble, options.output)
    for file, reason in labelled.refused.items():
        print(f"candor: {file}: {reason}", file=sys.stderr)
    return 1 if labelled.refused else 0


def _device(wanted: str) -> str:
    try:
        return use_device(wanted)
    except DeviceError:
        raise DeviceError("--device is 'cuda', but torch sees no GPU here; leave it out") from None


def _verify(options: argparse.Namespace) -> int:
    store = _existing(options.store or _configured(options.configfile)[1])
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
    store = _existing(options.store or _configured(options.configfile)[1])
    for project in options.forget:
        forget(store, project)
    freed = collect_garbage(store, days=options.days, dry=options.dry_run)
    would = "would be " if options.dry_run else ""
    users = ", ".join(map(str, projects(store))) or "none"
    what = f"{freed.members} members" + (f" and {freed.unfinished} unfinished files" if freed.unfinished else "")
    print(f"{what} ({freed.size / 1e6:.1f} MB) {would}removed, {freed.kept} kept; projects: {users}")
    return 0


def _configured(above: Sequence[Path]) -> tuple[Path, Path]:
    """Return project_dir and the store as config/config.yml of the current folder and the files above it say."""
    config = _config(above)
    project = Path(config.project_dir).expanduser()
    return project, Path(config.store_dir).expanduser() if config.store_dir else project / "store"


def _config(above: Sequence[Path]) -> Config:
    import yaml

    from candor.config.loading import load

    raw: dict[str, Any] = {}
    usual = Path("config", "config.yml")
    for file in [*([usual] if usual.exists() else []), *above]:
        try:
            read = yaml.safe_load(file.expanduser().read_text(encoding="utf-8")) or {}
        except (yaml.YAMLError, ValueError) as error:
            raise ConfigError(f"{file} cannot be read as YAML: {' '.join(str(error).split())}") from None
        if not isinstance(read, Mapping):
            raise ConfigError(f"{file} holds no keys with values, but {str(read)[:40]!r}")
        _lay_over(raw, read)
    return load(raw)


def _lay_over(raw: dict[str, Any], above: Mapping[str, Any]) -> None:
    """Put the values of one config over those of another, key by key on every level, as Snakemake does."""
    for key, value in above.items():
        if isinstance(value, Mapping) and isinstance(raw.get(key), dict):
            _lay_over(raw[key], value)
        else:
            raw[key] = value


def _paths(above: Sequence[Path]) -> dict[str, dict[str, Path | None]]:
    """Return the entries of data_dir by corpus; None stands for a corpus that the workflow makes."""
    from candor.plan.datasets import resolve

    paths: dict[str, dict[str, Path | None]] = {}
    try:
        for dataset in resolve(_config(above)).values():
            if dataset.raw is not None:
                path = None if dataset.synthesised else dataset.raw
                paths.setdefault(dataset.corpus, {})[dataset.key] = path
    except ConfigError as error:  # whoever wants to know which names there are may have misspelled one
        print(f"candor: {error}\nSo no path is shown.\n", file=sys.stderr)
    return paths


def _width() -> int:
    return min(shutil.get_terminal_size((100, 24)).columns, 120)  # longer lines are hard to read


def _existing(root: Path) -> Store:
    if not (root / "objects").is_dir():
        raise StoreError(f"{root} is no store; name it with --store (store_dir of the config, or project_dir/store)")
    return Store(root)
