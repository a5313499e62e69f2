"""What saves mean for the lines of sessions.

Rule: nobody starts from what did not land, and who starts sees what did.
"""

from __future__ import annotations

from dataclasses import replace

from orchd.core.draft import Draft
from orchd.core.sessions import keep_line, kept_items
from orchd.model.ids import SessionId, TaskId
from orchd.model.save import Save, Target
from orchd.model.session import Session, SessionSpec
from orchd.model.work import Reason


def record_of(draft: Draft, name: SessionId) -> Session:
    """The record of a session; one that has none gets one."""
    return draft.sessions.get(name) or Session(SessionSpec(name))


def shorten_line(draft: Draft) -> None:
    """Nobody is to start from what fell out of a line that lands. A pin goes on to the main that it conflicted with: who
    settles that has to see both sides, and from an older one it would conflict again."""
    save = draft.open_save
    if save.start and save.excluded:
        kept = tuple(item.task for item in kept_items(save))
        session = keep_line(record_of(draft, save.session), kept)
        met = session.pinned and any(one.reason is Reason.CONFLICT for one in save.excluded)
        draft.sessions[save.session] = replace(session, pinned=save.base) if met else session


def note_saved(draft: Draft, save: Save, landed: tuple[TaskId, ...]) -> None:
    """What a save means for its session: a longer line, or one that has landed. A pin goes on to what was landed."""
    session = record_of(draft, save.session)
    if save.target is Target.LINE:
        session = replace(session, line=(*session.line, *landed), start=session.start if session.line else save.base)
    elif save.start:
        session = keep_line(session, ())
    if save.commit and session.pinned:
        session = replace(session, pinned=save.commit)
    if session != Session(SessionSpec(save.session)):
        draft.sessions[save.session] = session
