"""A Rasa server as the brain: what goes to it, what becomes of its answers, and what our own rules keep."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.app import build
from bot.assistants import STARTER
from bot.messages import Attachment, Event, Incoming
from bot.qa.play import play_on
from bot.qa.read import read_script
from bot.settings import Settings
from bot.simulator import Simulator, serve
from bot.turn.consent import agree_payload
from bot.turn.decision import AFFIRM, PERSON, Arrived, Decision, Reason, Say
from bot.turn.deeds import GiveConsent, Remember
from bot.turn.rasa_brain import KEPT_BUTTONS, MARK, RasaBrain, marked, message_of
from bot.turn.rasa_server import MAX_ANSWER_BYTES, Answered, RasaFailed, RasaServer, read_answer
from memory.consents import keep_consent
from memory.context import Context, recall
from memory.customers import Profile, find_or_make
from memory.database import Database, Tx
from memory.declared import Declarations, Declared, Purpose
from memory.facts import Told, remember
from memory.handoffs import handoff_table
from memory.known import refresh_known
from memory.turns import turn_table
from tests.bot.flows.servers import free_port
from tests.bot.turn.rasa import FakeRasa
from tests.bot.turn.test_decide import NOBODY, NOW, episode, known, past, press

CONTEXT = known()
PHONE = {
    "phone": Declared("phone", proof="confirmed", title="number"),
    "city": Declared("city"),
    "shoes": Declared("shoes", purpose="offers"),
}
DECLARED = Declarations(PHONE, {"offers": Purpose("offers", "Offers", "May we?", version="1", consent="required")})


def came(text: str = "", **more: Any) -> Arrived:
    return Arrived((Incoming("telegram", "1", "42", NOW, text=text, **more),), False, more.pop("about", None), turn_id=77)


async def think(
    rasa: FakeRasa, arrived: Arrived, context: Context = CONTEXT, *, token: str | None = None, declared: Declarations = DECLARED
) -> tuple[Decision, dict[str, Any]]:
    server = RasaServer(rasa.url, token=token, timeout_s=10, at_once=2)
    try:
        return await RasaBrain(server, returning_after_s=1800, declared=declared).think(arrived, context)
    finally:
        await server.close()


def texts(*said: str) -> list[dict[str, Any]]:
    return [{"text": one} for one in said]


# -- what goes to it --------------------------------------------------------------------------------------------------


async def test_words_go_there_with_who_writes_and_which_turn_it_is() -> None:
    async with FakeRasa(lambda _: texts("Fine")).serving() as rasa:
        decision, trace = await think(rasa, came("How do I pay?"), replace(CONTEXT, language="de"))
    assert decision.says == (Say("", text="Fine"),)
    assert (decision.rule, decision.handoff, decision.relay) == ("rasa", None, False)
    assert rasa.posted == [
        {
            "sender": "telegram:42",
            "message": "How do I pay?",
            "metadata": {"turn_id": 77, "language": "de", "proof": "seen", "facts": {}},
            "message_id": "77",
        }
    ]
    assert (trace["rasa"]["answers"], trace["rasa"]["handoff"]) == (1, False)


async def test_only_facts_go_along_that_consent_and_proof_allow(sqlite_database: Database) -> None:
    def fill(tx: Tx) -> Context:
        ann = find_or_make(tx, "telegram", [Profile("42")], at=NOW)["42"]

        def consent(granted: bool) -> None:
            keep_consent(tx, ann.customer_id, "offers", granted=granted, version="1", text="?", channel="telegram", at=NOW)
            refresh_known(tx, [ann.customer_id])

        consent(True)
        for name, value in (("phone", "+442079460000"), ("city", "London"), ("shoes", "42")):
            remember(tx, DECLARED, ann.customer_id, Told(name, value, "customer"), at=NOW)
        consent(False)
        return recall(tx, [ann.identity_id])[ann.identity_id]

    context = await sqlite_database.write(fill)
    async with FakeRasa(lambda _: texts("Fine")).serving() as rasa:
        await think(rasa, came("hm"), context)
        await think(rasa, came("hm"), replace(context, proof="confirmed", proven_at=NOW))
        await think(rasa, came("hm"), replace(context, proof="confirmed", proven_at=NOW - timedelta(days=365)))
    assert [(one["metadata"]["proof"], one["metadata"]["facts"]) for one in rasa.posted] == [
        ("seen", {"city": "London"}),
        ("confirmed", {"phone": "+442079460000", "city": "London"}),
        ("seen", {"city": "London"}),
    ]


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("/restart", "restart"),
        ('/inform{"proof": "verified"}', 'inform{"proof": "verified"}'),
        ("  // hello", "hello"),
        ("a/b", "a/b"),
    ],
)
async def test_nobody_can_write_what_rasa_takes_for_a_command(text: str, sent: str) -> None:
    assert message_of(came(text), {}) == sent


async def test_an_edit_of_the_last_words_is_sent_and_an_older_one_is_not() -> None:
    context = known(past(1), past(2), past(3, "assistant"))
    async with FakeRasa(lambda _: texts("Fine")).serving() as rasa:
        for about, rule in ((2, "rasa"), (1, "edit noted")):
            decision, _ = await think(rasa, replace(came("new words", event=Event.EDIT), about_id=about), context)
            assert decision.rule == rule
    assert [one["message"] for one in rasa.posted] == ["new words"]


async def test_a_caption_is_sent_and_a_photo_alone_is_acknowledged() -> None:
    photo = (Attachment("telegram", "photo", "f", "u"),)
    async with FakeRasa(lambda _: texts("Fine")).serving() as rasa:
        decision, _ = await think(rasa, came("my card", kind="photo", attachments=photo))
        assert decision.rule == "rasa"
        decision, _ = await think(rasa, came(kind="photo", attachments=photo))
        assert [one.name for one in decision.says] == ["utter_received_photo"]
        decision, _ = await think(rasa, came("x", kind="video", attachments=(replace(photo[0], too_large=True),)))
        assert [one.name for one in decision.says] == ["utter_file_too_large"]
    assert [one["message"] for one in rasa.posted] == ["my card"]


# -- what becomes of its answers --------------------------------------------------------------------------------------


async def test_texts_pictures_and_buttons_are_one_answer_and_a_press_sends_the_payload() -> None:
    payload = '/choose{"account": "savings, with a payload that is longer than a button may carry"}'
    said: list[dict[str, Any]] = [{"text": "Which <one>?", "buttons": [{"title": "Savings", "payload": payload}, {"title": "x"}]}]
    said += [{"image": "https://example.com/a.png"}, {"custom": {"other": 1}}]
    async with FakeRasa(lambda _: said).serving() as rasa:
        decision, _ = await think(rasa, came("pay"))
        (say,) = decision.says
        assert say.text == "Which <one>?\n\nhttps://example.com/a.png"
        assert [one.title for one in say.buttons] == ["Savings"]
        assert len(say.buttons[0].payload.encode()) <= 64
        assert decision.dialogue is not None

        pressed = came(event=Event.PRESS, kind="press", data={"payload": say.buttons[0].payload, "title": "Savings"})
        await think(rasa, pressed, replace(CONTEXT, dialogue=decision.dialogue))
        await think(rasa, pressed, replace(CONTEXT, dialogue={}))
        forged = came(event=Event.PRESS, kind="press", data={"payload": "/choose_everything", "title": None})
        assert (await think(rasa, forged, replace(CONTEXT, dialogue=decision.dialogue)))[0].rule == "clarify"
    assert [one["message"] for one in rasa.posted] == ["pay", payload, "Savings"]


def test_only_the_latest_buttons_are_remembered() -> None:
    kept: dict[str, str] = {}
    for number in range(KEPT_BUTTONS + 5):
        shown, kept = marked([(f"T{number}", f"/p{number}"), (f"T{number}", f"/p{number}")], kept)
        assert len(shown) == 1
    assert list(kept.values()) == [f"/p{number}" for number in range(5, KEPT_BUTTONS + 5)]
    again, kept = marked([("T9", "/p9")], kept)
    assert again[0].payload == MARK + list(kept)[-1]


@pytest.mark.parametrize(
    ("asks", "reason", "tried"),
    [
        ("asked", Reason.ASKED, ()),
        ("fraud", Reason.ASKED, ("fraud",)),
        ("unsure", Reason.UNSURE, ()),
        ({"reason": None, "queue": "cards", "note": "Look at it"}, Reason.ASKED, ("cards; Look at it",)),
        ({"reason": "failed"}, Reason.FAILED, ()),
    ],
)
async def test_a_person_is_asked_for_and_the_customer_is_told(asks: Any, reason: Reason, tried: tuple[str, ...]) -> None:
    async with FakeRasa(lambda _: [{"text": "One moment"}, {"custom": {"legato": {"handoff": asks}}}]).serving() as rasa:
        decision, _ = await think(rasa, came("help"))
    assert (decision.handoff, decision.tried) == (reason, tried)
    assert [one.name or one.text for one in decision.says] == ["One moment", "utter_handoff"]


async def test_silence_is_asked_about_once_and_then_passed_to_a_person() -> None:
    async with FakeRasa(lambda _: [{"text": " "}, {}]).serving() as rasa:
        first, _ = await think(rasa, came("zzz"))
        assert ([one.name for one in first.says], first.handoff) == (["utter_clarify_open"], None)
        assert first.dialogue is not None
        second, _ = await think(rasa, came("zzz"), replace(CONTEXT, dialogue=first.dialogue))
        assert ([one.name for one in second.says], second.handoff) == (["utter_handoff_unsure"], Reason.UNSURE)
        rasa.says = lambda _: texts("Fine")
        third, _ = await think(rasa, came("ok then"), replace(CONTEXT, dialogue=first.dialogue))
        assert third.dialogue is not None
        assert third.dialogue["unsure"] == 0


@pytest.mark.parametrize(
    ("status", "answers", "said"),
    [
        (500, b"my-pin-is-4711", "answered 500"),
        (503, b"", "answered 503"),
        (404, b"", "credentials.yml"),
        (302, b"", "answered 302"),
        (200, b"{}", "no list of messages"),
        (200, b"<html>", "no list of messages"),
        (200, b"[1]", "no list of messages"),
        (200, b"[" * 100_000, "no list of messages"),
        (200, b" " * (MAX_ANSWER_BYTES + 1), "too large"),
    ],
)
async def test_an_answer_that_cannot_be_used_fails_the_turn_in_words(status: int, answers: bytes, said: str) -> None:
    async with FakeRasa(lambda _: answers).serving() as rasa:
        rasa.status = status
        with pytest.raises(RasaFailed, match=said) as caught:
            await think(rasa, came("my-pin-is-4711"))
    assert "LEGATO_RASA_URL" in str(caught.value)
    assert "4711" not in str(caught.value)


async def test_nobody_there_and_a_wrong_token() -> None:
    nobody = FakeRasa(lambda _: [])
    nobody.url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(RasaFailed, match="does not answer"):
        await think(nobody, came("hello there"))
    async with FakeRasa(lambda _: texts("Fine"), token="swordfish").serving() as rasa:
        with pytest.raises(RasaFailed, match="LEGATO_RASA_TOKEN"):
            await think(rasa, came("hello there"), token="other")
        assert (await think(rasa, came("hello there"), token="swordfish"))[0].rule == "rasa"


def test_what_is_no_text_is_passed_over() -> None:
    said = b'[{"text": 3, "buttons": {"title": 1}, "custom": []}, {"text": "x", "buttons": [4, {"title": "A", "payload": "/a"}]}]'
    assert read_answer(said) == Answered(("x",), (("A", "/a"),))


# -- what our own rules keep ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arrived", "context", "rule"),
    [
        (came("I want to talk to a person"), CONTEXT, "handoff asked"),
        (press(PERSON), CONTEXT, "handoff asked"),
        (came("hello"), replace(CONTEXT, last_episode=episode()), "relay"),
        (came(event=Event.MEMBERSHIP, data={"status": "kicked"}), CONTEXT, "membership"),
        (came(event=Event.REACTION, data={"emoji": "x"}), CONTEXT, "noted"),
        (came("/start"), NOBODY, "welcome"),
        (came("what do you know about me?"), CONTEXT, "my data"),
        (came("/forget"), CONTEXT, "ask to forget"),
        (came("yes"), replace(CONTEXT, dialogue={"asked": "worked_out", "asked_matter": "x"}), "worked out"),
        (press(AFFIRM), replace(CONTEXT, dialogue={"asked": "worked_out", "asked_matter": "x"}), "worked out"),
        (replace(came("one more"), continued=True), CONTEXT, "noted"),
    ],
)
async def test_what_must_hold_whoever_answers_never_goes_there(arrived: Arrived, context: Context, rule: str) -> None:
    async with FakeRasa(lambda _: texts("Fine")).serving() as rasa:
        decision, _ = await think(rasa, arrived, context)
    assert decision.rule.startswith(rule)
    assert rasa.posted == []


async def test_a_consent_is_given_by_our_own_button() -> None:
    async with FakeRasa(lambda _: texts("Fine")).serving() as rasa:
        decision, _ = await think(rasa, press(agree_payload(DECLARED.purposes["offers"])))
    assert decision.deeds == (GiveConsent("offers"),)
    assert rasa.posted == []


async def test_what_a_customer_tells_is_learned_as_ever() -> None:
    async with FakeRasa(lambda _: texts("Fine")).serving() as rasa:
        contact = came("please call me", kind="contact", data={"own": True, "phone": "442079460000"})
        decision, trace = await think(rasa, contact)
    assert [one.name for one in decision.deeds if isinstance(one, Remember)] == ["phone"]
    assert trace["learned"] == ["phone"]
    assert [one["message"] for one in rasa.posted] == ["please call me"]


# -- the whole assistant ----------------------------------------------------------------------------------------------

TOKEN = "4200:" + "C" * 35

SCRIPT = """
name: A Rasa server answers, and a person takes over with the whole case
assistant: {assistant}
settings: {{brain: rasa, rasa_url: "{url}", turn_tries: 2}}
agents: {{bea: Bea Novak}}
script:
  - ann: /start
  - bot: {{reply: utter_welcome}}
  - ann: block my <b>card</b>
  - bot: {{reply: text, text: ["You wrote: block my <b>card</b>"], buttons: ["Yes", "No"]}}
  - ann: {{press: "Yes"}}
  - bot: {{reply: utter_handoff, text: ["You wrote: /block"]}}
  - handoff: {{state: waiting, reason: asked}}
  - desk: {{shows: [block my <b>card</b>, "You wrote: /block", lost card]}}
  - ann: are you there?
  - nobody speaks
  - bea: Hello Ann
  - ann hears: {{from: agent, text: Hello Ann}}
  - bea: /return card is blocked
  - bot: {{reply: utter_handoff_returned}}
  - ann: thanks for that
  - bot: {{reply: text, text: ["You wrote: thanks for that"]}}
  - memory: {{log: [{{customer: thanks for that}}, {{assistant: "You wrote: thanks for that"}}]}}
  - brain: failing once
  - ann: and now?
  - bot: {{reply: text, text: ["You wrote: and now?"]}}
"""


def echo(message: str) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = [{"text": f"You wrote: {message}"}]
    if message.startswith("block"):
        said[0]["buttons"] = [{"title": "Yes", "payload": "/block"}, {"title": "No", "payload": "/deny"}]
    if message == "/block":
        said.append({"custom": {"legato": {"handoff": {"reason": "asked", "note": "lost card"}}}})
    return said


async def test_a_dialogue_with_a_person_in_it(database_url: str, tmp_path: Path) -> None:
    async with FakeRasa(echo).serving() as rasa:
        file = tmp_path / "rasa.yml"
        file.write_text(SCRIPT.format(url=rasa.url, assistant=STARTER))
        mistakes: list[Any] = []
        script = read_script(file, mistakes)
        assert script is not None, mistakes
        played = await play_on(script, database_url)
    assert played.passed, "\n".join(played.transcript)
    assert [one["message"] for one in rasa.posted] == ["block my <b>card</b>", "/block", "thanks for that", "and now?"]
    assert len({one["sender"] for one in rasa.posted}) == 1


async def test_a_server_that_fails_is_tried_again_and_then_a_person_is_asked(
    sqlite_database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    sim = Simulator(repeat_window_s=0)
    sim.add_bot("legato_bot", token=TOKEN)
    ann = sim.add_person("Ann")
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serve(sim))
        rasa = await stack.enter_async_context(FakeRasa(lambda _: texts("Fine")).serving())
        rasa.status = 500
        settings = Settings.load(
            None,
            telegram_token=TOKEN,
            api_base=server.url,
            database_url=sqlite_database_url,
            assistant=str(STARTER),
            brain="rasa",
            rasa_url=rasa.url,
            turn_tries=2,
        )
        legato = await build(settings)
        await stack.enter_async_context(legato.running())
        ann.send("legato_bot", "my pin is 4711")
        assert (await ann.hear("legato_bot")).text
        assert len(rasa.posted) == 2
        assert len({one["message_id"] for one in rasa.posted}) == 1
        rules = await legato.database.read(
            lambda tx: list(tx.execute(turn_table.select().with_only_columns(turn_table.c.decision)).scalars())
        )
        reasons = await legato.database.read(
            lambda tx: list(tx.execute(handoff_table.select().with_only_columns(handoff_table.c.reason)).scalars())
        )
        assert (rules, reasons) == (["failed"], ["failed"])
    assert "LEGATO_RASA_URL: the server answered 500" in caplog.text
    assert "4711" not in caplog.text
