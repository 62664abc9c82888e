"""The repository as a whole: what README, lock, plan and code promise each other."""

import ast
import importlib.metadata
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import FIRST

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "aigc_demo"
MODULES = sorted(PACKAGE.rglob("*.py"))
SOURCES = [*MODULES, ROOT / "app.py", ROOT / "check.py", *sorted((ROOT / "benchmarks").glob("*.py"))]
README = (ROOT / "README.md").read_text("utf8")
PAGES = [
    str(path.relative_to(ROOT)) for path in (*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md")))
]
RUN = "python -m pip install -r requirements.txt && python app.py"
TEST = "python -m pip install -r requirements-dev.txt && python -m pytest"
COMMAND_LINE = (ROOT / "docs/command-line.md").read_text("utf8")
SPACE_COLORS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    names = listed.stdout.decode().split("\0") if listed.returncode == 0 else []
    found = [ROOT / name for name in names if name]
    # An archive has no git: there everything that is not hidden came with it.
    every = [(path, path.relative_to(ROOT).parts) for path in ROOT.rglob("*")]
    return found or [path for path, parts in every if not any(part.startswith(".") for part in parts)]


def lines_of(name: str) -> Iterator[str]:
    for line in (ROOT / name).read_text("utf8").splitlines():
        text = line.split("#")[0].strip()
        if text and not text.startswith("-r "):
            yield text


def requirements(name: str) -> dict[str, Requirement]:
    parsed = [Requirement(line) for line in lines_of(name)]
    return {canonicalize_name(one.name): one for one in parsed}


def locked() -> dict[str, str]:
    pairs = [line.split("==") for line in lines_of("requirements.lock")]
    return {canonicalize_name(name): version for name, version in pairs}


def front_matter() -> dict[str, object]:
    return yaml.safe_load(README.split("---\n")[1])


def test_front_matter_is_what_a_space_asks_for():
    card = front_matter()
    assert README.startswith("---\n")
    assert card["sdk"] == "gradio"
    assert card["python_version"] == "3.12"
    assert (ROOT / str(card["app_file"])).is_file()
    assert card["license"] == "mit"
    assert {card["colorFrom"], card["colorTo"]} <= SPACE_COLORS
    assert card["title"]
    assert card["emoji"]
    assert len(str(card["short_description"])) <= 60, "a Space refuses a longer one"
    assert card["suggested_hardware"] == "zero-a10g", "free accounts create no other Gradio Space"
    assert isinstance(card["tags"], list)


def test_front_matter_names_the_gradio_of_the_lock():
    assert front_matter()["sdk_version"] == locked()["gradio"]


@pytest.mark.parametrize("command", [RUN, TEST])
def test_readme_gives_the_command_on_a_line_of_its_own(command):
    assert command in README.splitlines()


def test_ci_uses_the_lines_of_the_readme():
    lines = (ROOT / ".ci" / "run").read_text("utf8").splitlines()
    steps = [step for command in (RUN, TEST) for step in command.split(" && ") if step != "python app.py"]
    positions = [lines.index(step) for step in steps]
    assert positions == sorted(positions)
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_lock_holds_a_version_inside_every_range(name):
    versions = locked()
    outside = {
        one.name: versions.get(key)
        for key, one in requirements(name).items()
        if not one.specifier.contains(versions.get(key, "0"), prereleases=True)
    }
    assert outside == {}


def test_lock_names_versions_and_no_places():
    lines = list(lines_of("requirements.lock"))
    assert len(lines) > 50
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9a-z.]*", line)] == []


def test_torch_may_be_any_that_a_space_offers():
    specifier = requirements("requirements.txt")["torch"].specifier
    assert [version for version in ("2.8.0", "2.11.0", "2.13.0") if version not in specifier] == []
    assert "2.7.1" not in specifier
    assert "2.14.0" not in specifier


def imported_names(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names - set(sys.stdlib_module_names) - {"aigc_demo"}


def test_what_the_program_imports_stands_in_requirements():
    distributions = importlib.metadata.packages_distributions()
    # gradio runs on starlette, writes its answers with orjson and reads addresses with httpx: whether a value
    # passes there is for them to say, and their versions are gradio's affair. A Space brings spaces.
    listed = {*requirements("requirements.txt"), "starlette", "orjson", "httpx", "spaces"}
    missing = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in [*MODULES, ROOT / "app.py"]
        for name in imported_names(path)
        if not listed & {canonicalize_name(one) for one in distributions.get(name, [])}
    }
    assert missing == set()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_has_a_docstring_and_parses_on_python_3_11(path):
    tree = ast.parse(path.read_text("utf8"), feature_version=(3, 11))
    assert ast.get_docstring(tree)


def test_no_module_is_named_for_nothing():
    vague = {"utils", "util", "helpers", "manager", "misc", "common"}
    assert [str(path) for path in MODULES if path.stem in vague or path.parent.name in vague] == []


def test_remote_code_is_never_trusted():
    trusting = [
        f"{path.relative_to(ROOT)}:{node.value.lineno}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text("utf8")))
        if isinstance(node, ast.keyword) and node.arg == "trust_remote_code"
        if not (isinstance(node.value, ast.Constant) and node.value.value is False)
    ]
    assert trusting == []


def test_no_file_is_larger_than_a_space_takes():
    sizes = {str(path.relative_to(ROOT)): path.stat().st_size for path in tracked_files() if path.is_file()}
    assert {name: size for name, size in sizes.items() if size > 10_000_000} == {}
    assert sum(size for name, size in sizes.items() if name.startswith("assets/")) <= 200_000_000


def test_assets_hold_no_pickles():
    refused = {".pkl", ".pickle", ".pt", ".pth", ".bin", ".ckpt", ".npy", ".npz", ".joblib"}
    assets = [path for path in tracked_files() if "assets" in path.relative_to(ROOT).parts and path.is_file()]
    # Protocols 2 to 5 begin with 0x80 and their number, torch's own files are zip archives.
    pickles = {bytes((0x80, protocol)) for protocol in range(2, 6)}
    begins = {path: path.read_bytes()[:2] for path in assets}
    assert [path.name for path in assets if path.suffix in refused or begins[path] in pickles] == []
    assert [path.name for path in assets if begins[path] == b"PK"] == []


def test_the_page_of_models_is_what_the_cards_say():
    """Made anew it is the same; it names every model that lies in assets, each with figures."""
    written = (ROOT / "docs/models.md").read_text("utf8")
    assert written == runpy.run_path(str(ROOT / "docs/models.py"))["page"](), "run python docs/models.py"
    linked = set(re.findall(r"\[(.+?)\]\(\.\./assets/\1/README.md\)", written))
    assert linked == {path.name for path in ROOT.glob("assets/*") if path.is_dir()}
    shakespeare = "| bits per character | 2.0467 | 5.8865 | 2.1235 |"
    assert shakespeare in written, "gpt-shakespeare, gpt-tang, gpt2-shakespeare: typed from their cards"


def test_the_paths_that_architecture_names_are_there():
    plan = (ROOT / "ARCHITECTURE.md").read_text("utf8")
    named = set(re.findall(r"`((?:\w+/)+\w+\.py)`", plan))
    assert len(named) > 30
    assert sorted(path for path in named if not (PACKAGE / path).is_file()) == []


def test_every_folder_of_the_package_has_its_place_in_the_tree():
    tree = (ROOT / "ARCHITECTURE.md").read_text("utf8").split("```")[1]
    named = set(re.findall(r"(\w+)/", tree))
    folders = {path.name for path in PACKAGE.rglob("*/") if list(path.glob("*.py"))}
    assert "visitors" in folders
    assert sorted(folders - named) == []


def test_no_folder_has_more_modules_side_by_side_than_can_be_scanned():
    folders = {
        path.parent for top in ("aigc_demo", "tests", "benchmarks") for path in (ROOT / top).rglob("*.py")
    }
    crowded = {str(folder.relative_to(ROOT)): len(list(folder.glob("*.py"))) for folder in folders}
    assert {name: count for name, count in crowded.items() if count > 20} == {}


@pytest.mark.parametrize("name", PAGES)
def test_links_inside_the_repository_lead_somewhere(name):
    page = ROOT / name
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_configurations_that_docs_and_page_name_are_there():
    page = (PACKAGE / "ui" / "words" / "train.py").read_text("utf8")
    named = [set(re.findall(r"--config_file (\S+)", text)) for text in (COMMAND_LINE, page)]
    assert named[0] == named[1] == {f"configs/{path.name}" for path in ROOT.glob("configs/*.yaml")}


def test_the_page_is_built_without_the_heavy_libraries():
    code = (
        "import sys, aigc_demo.ui.app; "
        "print([name for name in ('torch', 'transformers', 'diffusers', 'datasets') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr[-500:]


@pytest.mark.parametrize(
    "card", sorted((ROOT / "assets").glob("*/README.md")), ids=lambda card: card.parent.name
)
def test_a_shipped_card_says_what_the_hub_and_a_reader_need(card: Path) -> None:
    text = card.read_text("utf8")
    _, front, body = text.split("---\n", 2)
    facts = yaml.safe_load(front)
    assert facts["license"] == "mit"
    assert facts["library_name"]
    assert facts["pipeline_tag"]
    languages = facts["language"] if isinstance(facts["language"], list) else [facts["language"]]
    assert set(languages) <= {"en", "zh"}
    assert ("Chinese" in body.split("## How good it is")[1]) <= ("zh" in languages)
    assert "A model." not in body, "nobody wrote what the recipe trains"
    assert "--run-dir RUN" in body


def test_the_test_files_that_come_first_are_there() -> None:
    assert [name for name in FIRST if not (ROOT / name).is_file()] == []
    assert len(set(FIRST)) == len(FIRST)
