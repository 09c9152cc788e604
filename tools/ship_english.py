"""Put a pretrained model where the package ships it: float16 weights, tokenizer, learning curve, sources in the card.

    python tools/ship_english.py RUN [LATER_RUN ...] --sources ../shared/data/english/README.md

RUN is a folder that `bertmini pretrain --words-only` wrote; of several, each began where the one before ended, and the
last one's weights are shipped. Positions beyond those trained on are cut off, so that a text that is too long is
refused. The table of sources, made from the text's own README, goes between the two marks in the card.
"""

import argparse
import csv
import json
from dataclasses import replace
from pathlib import Path

from bertmini import BertForMaskedLM, WordPieceTokenizer
from bertmini.files import SHIPPED, write_atomically
from bertmini.model.pretrained import config_to_json
from bertmini.runs.settings import read_settings
from bertmini.viz.plots import loss_curve
from bertmini.viz.style import save

TARGET = SHIPPED / "english"
MARKS = ("<!-- sources: begin -->\n", "<!-- sources: end -->\n")
Row = dict[str, str]


def ship_weights(run: Path, positions: int) -> None:
    """Write weights in float16, config and tokenizer."""
    model = BertForMaskedLM.from_pretrained(run)
    table = model.bert.embeddings.position
    table.weight.data = table.weight.data[:positions].clone()
    model.config = replace(model.config, max_position_embeddings=positions)
    model.half().save_pretrained(TARGET)
    # What is stored is half as long as what is meant to be computed with.
    config = json.loads(config_to_json(model.config, type(model).__name__)) | {"dtype": "float32"}
    write_atomically(TARGET / "config.json", json.dumps(config, indent=2, sort_keys=True) + "\n")
    WordPieceTokenizer.from_pretrained(run).save_pretrained(TARGET)


def read_curve(runs: list[Path]) -> list[Row]:
    """Join the runs' logs, steps, tokens and seconds counted on; rows without an evaluation are thinned out."""
    rows: list[Row] = []
    steps = tokens = 0
    seconds = 0.0
    for number, run in enumerate(runs, start=1):
        with (run / "log.csv").open(newline="") as file:
            found = list(csv.DictReader(file))
        for row in found:
            tokens += int(float(row["tokens"] or 0))
            if row["held_out_mlm_loss"] or int(row["step"]) % 50 == 0:
                rows.append(
                    {
                        "run": str(number),
                        "step": str(steps + int(row["step"])),
                        "tokens": str(tokens),
                        "seconds": f"{seconds + float(row['seconds'] or 0):.0f}",
                        "learning_rate": f"{float(row['learning_rate'] or 0):.6f}",
                        "training_loss": f"{float(row['loss']):.4f}" if row["loss"] else "",
                        "held_out_loss": f"{float(row['held_out_mlm_loss']):.4f}" if row["held_out_mlm_loss"] else "",
                        "held_out_accuracy": f"{float(row['masked_accuracy']):.4f}" if row["masked_accuracy"] else "",
                    }
                )
        steps += int(found[-1]["step"])
        seconds += float(found[-1]["seconds"])
    return rows


def ship_curve(runs: list[Path]) -> None:
    """Write the learning curve, as numbers and as a picture."""
    rows = read_curve(runs)
    with (TARGET / "curve.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    curves = {}
    for name, column in (("training", "training_loss"), ("held out", "held_out_loss")):
        known = [row for row in rows if row[column]]
        curves[name] = ([int(row["tokens"]) / 1e6 for row in known], [float(row[column]) for row in known])
    picture = loss_curve(curves, title="The English model: hidden pieces", x_label="million tokens read")
    save(picture, TARGET / "curve.png")


def sources_table(readme: Path) -> str:
    """Take titles, authors, licences and words out of the README of the text."""
    lines = ["| title | author | licence | words (train + held out) |", "|---|---|---|---:|"]
    for line in readme.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 5 and "+" in cells[4] and cells[0] != "what":
            lines.append(f"| {cells[0]} | {cells[1]} | {cells[3]} | {cells[4]} |")
        elif len(cells) == 4 and "+" in cells[3] and cells[0] != "title":
            lines.append(f"| {cells[0]} | {cells[1]} | public domain in the USA; edition CC0 1.0 | {cells[3]} |")
    return "\n".join(lines) + "\n"


def ship_sources(readme: Path) -> None:
    """Put the table into the card, between its marks."""
    card = (TARGET / "README.md").read_text(encoding="utf-8")
    before, rest = card.split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    write_atomically(
        TARGET / "README.md", "".join([before, MARKS[0], "\n", sources_table(readme), "\n", MARKS[1], after])
    )


def main() -> None:
    """Ship what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN")
    parser.add_argument("--sources", type=Path, help="the README of the text")
    asked = parser.parse_args()
    TARGET.mkdir(parents=True, exist_ok=True)
    settings = read_settings(asked.runs[-1])
    if settings is None:
        parser.error(f"{asked.runs[-1]} holds no run")
    ship_weights(asked.runs[-1], settings.max_length)
    ship_curve(asked.runs)
    if asked.sources is not None:
        ship_sources(asked.sources)


if __name__ == "__main__":
    main()
