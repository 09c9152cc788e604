"""A paper follows from its seed and from nothing else, its key is right, and the paper does not hold it."""

import math
import random
import re
from collections import Counter
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from bertmini import BertConfig, WordPieceTokenizer
from bertmini.config import SPECIAL_TOKENS
from bertmini.data.answers import Window, best_spans, window_starts
from bertmini.data.tagging import illegal_tags, viterbi
from bertmini.data.vocabulary import alphabet, learn_pieces
from bertmini.metrics import entity_scores, rouge, spearman
from bertmini.model.encoder import BertEmbeddings, EncoderLayer
from bertmini.model.sentences import contrastive_loss
from bertmini.runs.write import fill
from tools.exam import (
    answers,
    explaining,
    matching,
    pretraining,
    tagging,
    using_and_seeing,
    words_in_context,
    writing,
)
from tools.exam.__main__ import BANK, draw_paper, main, mark_of, write_exam
from tools.exam.question import Question

SEEDS = range(20)
NUMBER = r"-?\d[\d,]*\.?\d*(?:e[-+]\d+)?"


def numbers(text: str) -> list[float]:
    return [float(found.rstrip(".,").replace(",", "")) for found in re.findall(NUMBER, text)]


def table_rows(text: str) -> list[list[str]]:
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]
    return rows[2:]


@pytest.mark.parametrize("make", [make for makers in BANK.values() for make in makers], ids=lambda make: make.__name__)
def test_every_question_has_numbers_of_its_own(make) -> None:  # type: ignore[no-untyped-def]
    made = [make(random.Random(f"seed {seed}")) for seed in SEEDS]
    assert len({question.asked for question in made}) > 10
    assert len({question.answer for question in made}) > 10
    assert all(question.points > 0 and "nan" not in question.answer for question in made)
    assert made[3] == make(random.Random("seed 3"))


def test_attention_is_what_torch_computes() -> None:
    for seed in SEEDS:
        asked = words_in_context.attention_by_hand(random.Random(seed))
        query = [float(n) for n in re.search(r"query \[(.*?)\]", asked.asked)[1].split(",")]  # type: ignore[index]
        masked = int(re.search(r"number (\d) is padding", asked.asked)[1]) - 1  # type: ignore[index]
        rows = table_rows(asked.asked)
        keys = torch.tensor([[float(n) for n in row[1].strip("[]").split(",")] for row in rows])
        values = torch.tensor([[float(row[2])] for row in rows])
        allowed = torch.arange(4) != masked
        mixed = F.scaled_dot_product_attention(torch.tensor([query]), keys, values, attn_mask=allowed[None])
        assert f"Result {float(mixed):.2f}" in asked.answer


def test_entities_are_counted_as_the_package_counts_them() -> None:
    for seed in SEEDS:
        asked = tagging.entities_by_hand(random.Random(seed))
        _, true, said = zip(*table_rows(asked.asked), strict=True)
        assert illegal_tags(said) == illegal_tags(true) == 0
        scores = entity_scores([said], [true])
        told = f"precision {scores.precision:.2f}, recall {scores.recall:.2f}, F1 {scores.f1:.2f}"
        assert told in asked.answer
        assert f"{sum(a == b for a, b in zip(true, said, strict=True))} of 8 words right" in asked.answer


def test_the_best_legal_tags_are_viterbis() -> None:
    for seed in SEEDS:
        asked = tagging.best_legal_tags(random.Random(seed))
        scores = torch.tensor([[float(number) for number in row[1:]] for row in table_rows(asked.asked)])
        labels = ("O", "B-PER", "I-PER")
        assert f"Viterbi: {' '.join(viterbi(scores, labels))}, sum" in asked.answer
        greedy = [labels[i] for i in scores.argmax(1).tolist()]
        assert f"Each by itself: {' '.join(greedy)}," in asked.answer
        assert illegal_tags(greedy) > 0
        assert "13 of 27 sequences" in asked.answer


def test_pieces_are_those_of_the_package() -> None:
    for seed in SEEDS:
        asked = words_in_context.longest_pieces(random.Random(seed))
        pieces = re.findall(r"`(\S+)`", asked.asked)
        words = re.search(r"Cut (\w+), (\w+) and (\w+) as BERT", asked.asked).groups()  # type: ignore[union-attr]
        tokenizer = WordPieceTokenizer.from_vocab([*SPECIAL_TOKENS, *pieces])
        cut = [" ".join(tokenizer.tokenize(word)) for word in words]
        assert cut[1] == "[UNK]"
        assert asked.answer.startswith(f"{cut[0]}; {cut[1]}, since")
        assert f"inside a word; {cut[2]}. " in asked.answer


def test_the_merge_by_count_is_the_librarys() -> None:
    for seed in SEEDS:
        asked = words_in_context.count_or_score(random.Random(seed))
        words = Counter({word: int(count) for word, count in table_rows(asked.asked)})
        learned = learn_pieces(words, len(SPECIAL_TOKENS) + len(alphabet(words)) + 1)
        first, second = asked.answer.removeprefix("By count ").split(",")[0].split()
        assert learned[-1] == first + second.removeprefix("##")


def test_parameters_are_those_of_the_package() -> None:
    for seed in SEEDS:
        asked = words_in_context.parameters_of_an_encoder(random.Random(seed))
        layers, hidden, vocabulary, positions = map(int, numbers(asked.asked)[:4])
        config = BertConfig(
            vocab_size=vocabulary,
            hidden_size=hidden,
            num_hidden_layers=layers,
            num_attention_heads=1,
            intermediate_size=4 * hidden,
            max_position_embeddings=positions,
        )
        count = [sum(p.numel() for p in part.parameters()) for part in (BertEmbeddings(config), EncoderLayer(config))]
        assert f"= {count[0]:,}. " in asked.answer
        assert f": {count[1]:,}. " in asked.answer
        assert f"{layers * count[1]:,}." in asked.answer


def test_layer_norm_is_what_torch_computes() -> None:
    for seed in SEEDS:
        asked = words_in_context.layer_norm_by_hand(random.Random(seed))
        state, change = (
            torch.tensor([float(n) for n in part.split(",")]) for part in re.findall(r"\[(.*?)\]", asked.asked)
        )
        expected = F.layer_norm(state + change, (4,), eps=0.0)
        said = numbers(asked.answer.split("not by 3): ")[1])[:4]
        assert torch.allclose(torch.tensor(said), expected, atol=0.006)


def test_losses_and_floors() -> None:
    for seed in SEEDS:
        asked = words_in_context.cost_of_guesses(random.Random(seed))
        held = numbers(asked.asked)[:4]
        assert f"loss {-sum(map(math.log, held)) / 4:.2f} nats" in asked.answer
        asked = words_in_context.floor_of_a_blank(random.Random(seed))
        true, said = (torch.tensor([float(row[n]) for row in table_rows(asked.asked)]) for n in (1, 2))
        assert f"distance {float(F.kl_div(said.log(), true, reduction='sum')):.3f} nats" in asked.answer


def test_the_row_of_two_senses_and_its_cosines() -> None:
    for seed in SEEDS:
        asked = words_in_context.one_row_for_two_senses(random.Random(seed))
        senses = torch.tensor([[float(n) for n in row[1:]] for row in table_rows(asked.asked)])
        near = F.cosine_similarity(senses.sum(0), senses, dim=1)
        assert f"animal {float(near[0]):.3f}, with the spy {float(near[1]):.3f}" in asked.answer
        assert f"spy {float(senses[1].sum() / senses.sum()):.3f}." in asked.answer


def test_readers_of_one_side_pay_for_the_whole_sentence() -> None:
    for seed in SEEDS:
        asked = words_in_context.one_side_and_both(random.Random(seed))
        joint = torch.tensor([[float(n) for n in row[1:]] for row in table_rows(asked.asked)], dtype=torch.float64)
        joint /= joint.sum()
        given_first, given_second = joint / joint.sum(1, keepdim=True), joint / joint.sum(0)
        second, first = (-(joint * given.log()).sum() for given in (given_first, given_second))
        said = numbers(asked.answer)
        assert said[4:6] == pytest.approx([float(first), float(second)], abs=6e-4)
        assert said[0] + said[1] == pytest.approx(said[6], abs=1.2e-3)
        assert said[2] + said[3] == pytest.approx(said[6], abs=1.2e-3)
        assert said[6] == pytest.approx(float(-(joint * joint.log()).sum()), abs=6e-4)


def test_a_misprint_by_drawing_words() -> None:
    asked = pretraining.word_seen_through_a_channel(random.Random(5))
    rate, kept, words, replaced, prior = numbers(asked.asked)[:5]
    draws, words = 4_000_000, int(words)
    generator = torch.Generator().manual_seed(0)
    other = torch.rand(draws, generator=generator) >= prior  # word 0 is the lamp, every other word is word 1
    original = other.long()
    fate = torch.rand(draws, generator=generator)
    random_word = torch.randint(words, (draws,), generator=generator)
    chosen = torch.rand(draws, generator=generator) < rate
    seen = torch.where(chosen & (fate >= kept) & (fate < kept + replaced), random_word, original)
    seen = torch.where(chosen & (fate >= kept + replaced), -1, seen)
    share = float((original[seen == 0] == 0).float().mean())
    assert float(numbers(asked.answer)[-1]) == pytest.approx(share, abs=0.01)


def test_ranking_counts_pairs_and_accumulation_is_the_big_batch() -> None:
    for seed in SEEDS:
        asked = pretraining.ranking_and_threshold(random.Random(seed))
        scores = numbers(asked.asked)[:8]
        right = sum(a > b for a in scores[:4] for b in scores[4:])
        assert f"{right}/16" in asked.answer
        asked = pretraining.accumulated_loss(random.Random(seed))
        rows = [(float(n), float(loss)) for _, n, loss in table_rows(asked.asked)]
        assert f"{sum(n * loss for n, loss in rows) / sum(n for n, _ in rows):.3f} nats" in asked.answer


def test_confusion_is_counted_again() -> None:
    for seed in SEEDS:
        asked = using_and_seeing.confusion(random.Random(seed))
        (_, b), (c, d) = (list(map(int, row[1:])) for row in table_rows(asked.asked))
        assert (
            f"precision {d / (b + d):.3f}, recall {d / (c + d):.3f}, F1 {2 * d / (2 * d + b + c):.3f}" in asked.answer
        )


def test_spans_are_those_of_the_package() -> None:
    for seed in SEEDS:
        asked = answers.best_span(random.Random(seed))
        scores = torch.tensor(
            [[float(cell) for cell in row[1:]] for row in table_rows(asked.asked)], dtype=torch.float64
        )
        window = Window(0, {}, 1, [(place, place + 1) for place in range(5)])
        ((best, _, _),) = best_spans(scores[:, 0], scores[:, 1], window, n_best=1, max_pieces=5)
        threshold = float(re.search(r"by more than ([-\d.]+)\?", asked.asked)[1])  # type: ignore[index]
        assert f", {best:.1f}. The best begin" in asked.answer
        margin = best - float(scores[0].sum())
        assert f"the margin is {margin:.1f}" in asked.answer
        assert asked.answer.endswith("is answered." if margin > threshold else "there is no answer.")


def test_windows_are_those_of_the_package() -> None:
    for seed in SEEDS:
        asked = answers.windows(random.Random(seed))
        pieces, room, overlap, _, one, other = (int(number) for number in numbers(asked.asked))
        starts = window_starts(pieces, room, room - overlap)
        shown = ", ".join(f"{start} to {min(start + room, pieces) - 1}" for start in starts)
        assert asked.answer.startswith(f"{shown}. ")
        assert any(start <= one and other < start + room for start in starts) != ("None. " in asked.answer)


def test_the_third_word_and_the_true_cause() -> None:
    for seed in SEEDS:
        asked = explaining.third_word(random.Random(seed))
        weights = torch.tensor([float(weight) for _, weight in table_rows(asked.asked)])
        assert float(weights.sum()) == pytest.approx(1)
        grown = numbers(asked.asked.split("which gets")[1])[0]
        scores = weights.log()
        scores[2] += math.log(grown / (1 - grown) / float(weights[2] / (1 - weights[2])))  # it gets what is said
        again = scores.softmax(0)
        assert float(again[2]) == pytest.approx(grown, abs=1e-5)
        tea, milk = numbers(asked.answer)[:2]
        assert [tea, milk] == pytest.approx(again[:2].tolist(), abs=1e-3)
        asked = explaining.drawn_anew(random.Random(seed))
        kept, words = numbers(asked.asked)[:2]
        chances = [kept * (word == 0) + (1 - kept) / words for word in range(int(words))]
        lost = sum(math.log(chances[0]) - math.log(one) for one in chances) / words
        assert f"{lost:.3f} nats" in asked.answer


def test_partners_are_paid_for_as_the_package_does() -> None:
    for seed in SEEDS:
        asked = matching.pick_the_partner(random.Random(seed))
        found = [float(number) for number in re.findall(r"\d\.\d+", asked.asked)]
        vectors = torch.tensor([[cosine, (1 - cosine**2) ** 0.5] for cosine in [*found[:3], found[0]]])
        for count in (3, 4):
            paid = contrastive_loss(
                torch.tensor([[1.0, 0.0]]), vectors[:count], torch.tensor([0]), temperature=found[3]
            )
            assert f"{paid:.3f}" in asked.answer


def test_ranks_are_correlated_as_the_package_does() -> None:
    for seed in SEEDS:
        asked = matching.ranks_with_ties(random.Random(seed))
        rows = torch.tensor([[float(cell) for cell in row] for row in table_rows(asked.asked)])
        assert f"; {spearman(rows[:, 1], rows[:, 2]):.3f}. Nothing" in asked.answer


def test_rouge_is_the_packages() -> None:
    for seed in SEEDS:
        asked = writing.rouge_by_hand(random.Random(seed))
        reference, written = re.findall(r"\*(.+?)\*", asked.asked)
        scores = rouge(written, reference)
        assert f"= {scores.one:.3f}. In the same order" in asked.answer
        assert f"= {scores.longest:.3f}. Put" in asked.answer


def test_blanks_are_filled_as_the_package_fills_them() -> None:
    for seed in SEEDS:
        asked = writing.blanks_at_once(random.Random(seed))
        rows = table_rows(asked.asked)
        joint = torch.zeros(2, 3, dtype=torch.float64)
        for (_, share), (verb, noun) in zip(rows, ((0, 0), (0, 1), (1, 2)), strict=True):
            joint[verb, noun] = float(share)
        product = joint.sum(1)[:, None] * joint.sum(0)
        assert f"= {float(product[joint > 0].sum()):.4f}. (b)" in asked.answer

        def guess(ids: torch.Tensor, joint: torch.Tensor = joint) -> torch.Tensor:
            verb, noun = (int(number) for number in ids[0])  # 9 is the blank
            p = torch.zeros(1, 2, 3, dtype=torch.float64)
            p[0, 0, :2] = joint.sum(1) if noun == 9 else joint[:, noun]
            p[0, 1] = joint.sum(0) if verb == 9 else joint[verb]
            return (p / p.sum(-1, keepdim=True)).log()

        ((verb, noun),) = fill(guess, torch.tensor([[9, 9]]), 9, order="most confident").tolist()
        assert f"{['maps', 'books', 'goats'][noun]}: {float(joint[verb, noun]):.2f}. (c)" in asked.answer
        assert float(joint[verb, noun]) < float(joint.max())


def test_gibbs_ends_where_the_key_says() -> None:
    for seed in SEEDS:
        asked = writing.two_rows_no_joint(random.Random(seed))
        (p, q), (r, s) = ([float(cell) for cell in row[1:]] for row in table_rows(asked.asked))
        a_given_b, b_given_a = (
            torch.tensor([[x, 1 - x], [y, 1 - y]], dtype=torch.float64) for x, y in ((p, q), (r, s))
        )
        a = torch.tensor([0.5, 0.5], dtype=torch.float64)
        for _ in range(200):
            after_b = a[:, None] * b_given_a
            a = after_b.sum(0) @ a_given_b
        assert f"give a = {float(a[0]):.3f}. The same" in asked.answer
        assert asked.answer.endswith(f"= {float(after_b.diagonal().sum()):.3f}.")
        odds = [float(m[0, 0] * m[1, 1] / (m[0, 1] * m[1, 0])) for m in (a_given_b, b_given_a)]
        assert asked.answer.startswith(f"{odds[0]:.3f} and {odds[1]:.3f}: no joint")


def test_a_paper_follows_from_its_seed_and_the_choice_of_chapters_changes_no_number() -> None:
    assert draw_paper("s", ["03", "05"]) == draw_paper("s", ["03", "05"])
    assert draw_paper("s", ["05"]) == draw_paper("s", ["03", "05"])[len(BANK["03"]) :]
    other: list[Question] = draw_paper("t", ["03", "05"])
    assert all(a.asked != b.asked for a, b in zip(draw_paper("s", ["03", "05"]), other, strict=True))


def test_the_pages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seed", "oak and ash", "--chapters", "03", "13", "--out", str(tmp_path)]) == 0
    paper, key = ((tmp_path / name).read_text(encoding="utf-8") for name in ("paper.html", "key.html"))
    questions = draw_paper("oak and ash", ["03", "13"])
    assert capsys.readouterr().out.splitlines() == [str(tmp_path / "paper.html"), str(tmp_path / "key.html")]
    assert "Answer" not in paper
    assert key.count("<strong>Answer.</strong>") == len(questions) == paper.count('class="room"')
    assert "oak and ash" not in paper + key
    assert mark_of("oak and ash") in paper
    assert mark_of("oak and ash") in key
    assert "http" not in paper
    assert "<table>" in paper


@pytest.mark.parametrize(
    ("seed", "chapters", "message"),
    [("", ["03"], "the seed is empty"), ("s", ["99"], "no questions on chapter '99'"), ("s", ["03", "03"], "twice")],
)
def test_what_cannot_be_drawn_is_refused(
    seed: str, chapters: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match=message):
        write_exam(seed, chapters, tmp_path)
    assert main(["--seed", seed, "--chapters", *chapters, "--out", str(tmp_path / "new")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_every_written_chapter_has_questions() -> None:
    written = {path.stem[:2] for path in (Path(__file__).parent.parent / "chapters").glob("*.ipynb")}
    assert set(BANK) == written
