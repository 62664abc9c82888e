"""Write docs/models.md, the table of the shipped models, from their cards: `python docs/models.py`.

Nothing is typed twice: facts and figures are what the cards in assets/ say.
"""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ASSETS, PAGE = ROOT / "assets", ROOT / "docs" / "models.md"
HEAD = """# The models that come with the project

Made from the cards in assets/ by `python docs/models.py`. Each card also has the command of the training, the
seed, the hash of the data and the versions. What to compare with: [comparisons.md](comparisons.md).
"""
KINDS = {
    "text-generation": "Text",
    "unconditional-image-generation": "Images from noise",
    "text-to-image": "Images of captions",
    "zero-shot-image-classification": "Texts and images in one space",
    "image-feature-extraction": "Networks that measure images",
    "object-detection": "The network that checks images",
    "image-to-image": "Restoration of images",
}
FACTS = ("steps", "minutes of training", "machine")


def row_of(table: str) -> dict[str, str]:
    """A card's two-column table by the words of its first column."""
    cells = [re.fullmatch(r"\| (.+?) \| (.+) \|", line) for line in table.splitlines()]
    return {cell[1]: cell[2] for cell in cells if cell and not cell[1].startswith("-")}


def read_card(folder: Path) -> tuple[str, dict[str, str]]:
    """The kind of a model, and what its card says of it, in the order in which it is shown.

    Raises:
        ValueError: the card lacks something that every card has.
    """
    text = (folder / "README.md").read_text("utf8")
    kind = re.search(r"^pipeline_tag: (.+)$", text, re.MULTILINE)
    made = re.search(r"^python -m aigc_demo train (\S+) --data (\S+)", text, re.MULTILINE)
    count = re.search(r"([\d,]+) parameters", text)
    if kind is None or made is None or count is None:
        raise ValueError(f"{folder.name}: no pipeline_tag, command or number of parameters in its card")
    how_made, _, how_good = text.partition("## How good it is")
    facts, figures = row_of(how_made), row_of(how_good.partition("\n## ")[0])
    measured = " ".join(how_good.strip().partition("\n\n")[0].split())
    megabytes = sum(file.stat().st_size for file in folder.rglob("*.safetensors")) / 1e6
    baseline = "library" in text.partition("## ")[0].partition(f"# {folder.name}")[2]
    shown = {
        "recipe": f"`{made[1]}`, {'library baseline' if baseline else 'ours'}",
        "data": facts["data"].partition(";")[0],
        "parameters": count[1],
        "weights, MB": f"{megabytes:.1f}",
        **{name: facts[name] for name in FACTS},
        **figures,
        "measured": measured.removeprefix("Measured ").rstrip("."),
    }
    return kind[1], shown


def order(name: str) -> tuple[bool, bool, str]:
    """Ours before the baselines, the tiny world last, by name otherwise."""
    return ("tiny-world" in name, name.startswith(("gpt2", "ddpm", "text2image-diffusion")), name)


def page() -> str:
    """docs/models.md in full."""
    cards = {path.name: read_card(path) for path in ASSETS.iterdir() if (path / "README.md").is_file()}
    parts = [HEAD]
    for kind, title in KINDS.items():
        of_kind = {name: facts for name, (its, facts) in cards.items() if its == kind}
        names = sorted(of_kind, key=order)
        rows = list(dict.fromkeys(row for name in names for row in of_kind[name] if row != "measured"))
        links = [f"[{name}](../assets/{name}/README.md)" for name in names]
        lines = [f"| | {' | '.join(links)} |", f"| --- |{' --- |' * len(names)}"]
        lines += [
            f"| {row} | {' | '.join(of_kind[name].get(row, '') for name in names)} |"
            for row in (*rows, "measured")
        ]
        parts.append(f"## {title}\n\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf8")
