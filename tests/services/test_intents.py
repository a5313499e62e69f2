"""Intents are complete or not there, heard in order, and harmless when they are nonsense."""

from __future__ import annotations

from stories import Repo

from orchd.adapters.intents import IntentFolder, drop_intent
from orchd.adapters.place import Place
from orchd.model.snapshot import Verb


def test_intents_are_heard_in_the_order_of_their_arrival(repo: Repo, place: Place) -> None:
    folder = IntentFolder(place)
    for number in range(5):
        drop_intent(place, Verb.RETRY if number % 2 else Verb.CANCEL, f"t{number}")
    assert [intent.subject for intent in folder.look()] == [f"t{number}" for number in range(5)]
    first = folder.look()[0]
    folder.forget(first.id)
    folder.forget(first.id)
    assert [intent.subject for intent in folder.look()] == ["t1", "t2", "t3", "t4"]


def test_nonsense_is_removed_and_the_rest_is_heard(repo: Repo, place: Place) -> None:
    folder = IntentFolder(place)
    for name, text in {"0.json": "{", "1.json": "[]", "2.json": '{"verb": "destroy", "task": "a"}', "3.json": "\udce9"}.items():
        (place.intents / name).write_bytes(text.encode(errors="surrogateescape"))
    drop_intent(place, Verb.CANCEL, "fine")
    assert [intent.subject for intent in folder.look()] == ["fine"]
    assert [intent.subject for intent in folder.look()] == ["fine"]
    assert len(list(place.intents.iterdir())) == 1


def test_an_intent_that_is_being_written_is_not_seen(repo: Repo, place: Place) -> None:
    folder = IntentFolder(place)
    (place.intents / ".5.json.123.0").write_text('{"verb": "cancel"')
    assert folder.look() == ()
