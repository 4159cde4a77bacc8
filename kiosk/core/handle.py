"""handle(command, world, now) -> Decision: one table from each command to the function that decides it.

Total: a command that no rule understands, or that its giver may not give, is refused with a reason. Nothing raises
for anything that a person or a device can do.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec

from kiosk.core import (
    acts,
    close_of_day,
    closing,
    consent,
    delegates,
    disk,
    emergency,
    escalation,
    faces,
    groups,
    handover,
    link,
    patrols,
    privacy,
    pruned,
    publishing,
    register,
    releases,
    search,
    service,
    shifts,
    token_moves,
    turnstiles,
    vetting,
)
from kiosk.core import commands as c
from kiosk.core import commands_privacy as p
from kiosk.core import commands_service as cs
from kiosk.core.commands_publishing import Publish, RemindOfDue
from kiosk.core.decisions import Decision, Outcome, Reason
from kiosk.core.entries import Fact, Kind
from kiosk.core.late_facts import is_late, is_told_backwards
from kiosk.core.passage import decide
from kiosk.core.world import DeviceState, World

DAY_MS = 86_400_000


def handle(command: Any, world: World, now_ms: int, trusted: bool) -> Decision:
    if not acts.permitted(world, command):
        return acts.refused(Reason.NOT_PERMITTED)
    if isinstance(command, _TAKES_CHILDREN) and (kept := vetting.kept_out(world, _taker(command))) is not None:
        return kept
    decision = HANDLERS[type(command)](command, world, now_ms, trusted)
    if isinstance(command, _SHOWS_TEACHER) and decision.outcome is Outcome.GRANTED:
        decision = msgspec.structs.replace(
            decision, facts=(*decision.facts, *service.with_check_in(command, world, now_ms))
        )
    if decision.open_door:
        turnstiles.opened(command, decision, world, now_ms)
    return decision


_TAKES_CHILDREN = (c.TakeGroup, c.Accept, cs.CheckIn)  # never by somebody from outside who has not been vetted


def _taker(command: c.TakeGroup | c.Accept | cs.CheckIn) -> int:
    return command.staff or command.by if isinstance(command, cs.CheckIn) else command.by


_SHOWS_TEACHER = (c.TakeGroup, c.Accept, c.CallRoll)  # whoever does this in a session is there


def _tick(command: c.Tick, world: World, now_ms: int, trusted: bool) -> Decision:
    """Time passed: the day rolls over, offers lapse, ladders climb, forgotten queue entries go."""
    today = world.local_date(now_ms)
    if trusted and today != world.book.day.date:
        world.reread = today < world.book.day.date  # the clock had been ahead: this day was taken for one that is over
        world.open_day(today)
        world.campus.forget_before(world.book.start_ms - DAY_MS)  # yesterday is kept: another gate may be late with it
        world.let_go_through = max(world.let_go_through, (today - timedelta(days=2)).isoformat())
        world.let_go_tick = max(world.let_go_tick, world.book.start_ms - DAY_MS)
    facts = handover.lapses_due(world, now_ms)
    if trusted != world.clock_trusted:
        facts.append(Fact(Kind.CLOCK_FIXED if trusted else Kind.CLOCK_STEPPED, {"day": world.day}))
        world.clock_trusted = trusted
    facts += shifts.lapses_due(world, now_ms)
    facts += turnstiles.facts_due(world, now_ms, trusted)
    facts += token_moves.facts_due(world, now_ms, trusted)
    if trusted:
        facts += escalation.facts_due(world, now_ms)
        facts += search.facts_due(world, now_ms)
    stale = [r for r in world.campus.requests.values() if now_ms - r.at_ms >= world.rules.seat_claim_ms]
    if stale:
        body = {"requests": [r.id for r in stale], "by": 0, "day": world.day, "reason": "no_answer"}
        facts.append(Fact(Kind.LEFT_QUEUE, body))
    return acts.done(*facts)


def _device(command: c.DeviceChanged, world: World, now_ms: int, trusted: bool) -> Decision:
    """A device that goes away is a named state, recorded once; back is recorded once too."""
    before = world.devices.get(command.device)
    world.devices[command.device] = DeviceState(health=command.health, why=command.why, since_ms=now_ms)
    was_down = before is not None and before.health in _DOWN
    if command.health != "ok":
        turnstiles.sensor_lost(world, command.device)
    if command.health in _DOWN and not was_down:
        body = {"device": command.device, "health": command.health, "day": world.day}
        return acts.done(Fact(Kind.DEVICE_LOST, body))
    if command.health == "ok" and was_down:
        return acts.done(Fact(Kind.DEVICE_BACK, {"device": command.device, "day": world.day}))
    return acts.done()


_DOWN = frozenset({"down", "misconfigured"})


def _directory(command: c.AdoptDirectory, world: World, now_ms: int, trusted: bool) -> Decision:
    """A newer snapshot of everybody. An older or equal one changes nothing."""
    if command.directory.number <= world.directory.number:
        return acts.refused(Reason.STEP_REFUSED)
    world.adopt_directory(command.directory)
    body = {"number": command.directory.number, "digest": command.digest, "day": world.day}
    return acts.done(Fact(Kind.DIRECTORY_ADOPTED, body))


def _pictures_erased(command: c.PicturesErased, world: World, now_ms: int, trusted: bool) -> Decision:
    body = {"count": command.count, "before_ms": command.before_ms, "day": world.day}
    return acts.done(Fact(Kind.PICTURES_ERASED, body))


def _signed_in(command: c.SignedIn, world: World, now_ms: int, trusted: bool) -> Decision:
    if (kept := vetting.sign_in_refused(world, command.staff, command.where)) is not None:
        return kept
    body = {"staff": command.staff, "where": command.where, "day": world.day}
    return acts.done(Fact(Kind.STAFF_SIGNED_IN, body), person=command.staff)


def _peers(command: c.PeerEntries, world: World, now_ms: int, trusted: bool) -> Decision:
    """Facts of other gates are folded in; they are not ours to record again.

    Once one has come that fits to facts which were let go of, it and all after it are left on the disk: everything is read
    back from there, in order and beside the work, and until then the story stays the one without them. So are, while more
    follow, the days before this morning, where that was told already.
    """
    if command.ahead:
        return _announced(command, world)
    world.more_coming = command.more
    for sealed in command.sealed:
        world.reread = world.reread or is_late(sealed.entry, world.let_go_through, world.let_go_tick, world.campus)
        if world.reread or (command.more and is_told_backwards(sealed.entry, world.day, world.campus)):
            world.reread = True
            break
        if not world.campus.apply(sealed.entry):
            world.unreadable.append(str(sealed.entry.id))  # the others still count
        world.stream.observe(sealed.entry)
    return Decision(outcome=Outcome.GRANTED, reason=Reason.DONE)


def _announced(command: c.PeerEntries, world: World) -> Decision:
    """Facts of other gates before their turn: a lost card counts at once, and who is where since this morning.

    There are holes before them, so nothing that is decided here claims to have seen their streams so far. What fits to days
    that were let go of waits for its turn.
    """
    for sealed in command.sealed:
        late = is_late(sealed.entry, world.let_go_through, world.let_go_tick, world.campus)
        if not late and not world.campus.apply(sealed.entry):
            world.unreadable.append(str(sealed.entry.id))
    return Decision(outcome=Outcome.GRANTED, reason=Reason.DONE)


HANDLERS: dict[type, Callable[[Any, World, int, bool], Decision]] = {
    c.Read: decide,
    c.ClaimSeat: releases.claim_seat,
    c.ConfirmIdentity: releases.confirm_identity,
    c.Release: releases.release,
    c.LetGo: releases.let_go,
    c.AskReleaseRight: token_moves.ask,
    c.ReleaseExceptionally: releases.release_exceptionally,
    c.UndoRelease: releases.undo_release,
    c.Correct: releases.correct,
    c.RefusePickup: releases.refuse_pickup,
    c.RegisterDelegate: delegates.register,
    c.RevokeDelegate: delegates.revoke,
    c.CallForHelp: delegates.call_for_help,
    c.DismissFromQueue: releases.dismiss,
    c.CallRoll: handover.call_roll,
    c.Offer: handover.offer,
    c.Accept: handover.accept,
    c.Decline: handover.decline,
    c.TakeGroup: handover.take_group,
    c.StartEscort: groups.start_escort,
    c.EndEscort: groups.end_escort,
    c.TakeOut: groups.take_out,
    c.BringBack: groups.bring_back,
    c.OfferShift: shifts.offer_shift,
    c.AcceptShift: shifts.accept_shift,
    c.DeclineShift: shifts.decline_shift,
    c.OpenLocate: search.open_locate,
    c.Located: search.located,
    c.DeclareIncident: search.declare_incident,
    c.Acknowledge: acts.acknowledge,
    c.LogCall: acts.log_call,
    c.CloseCase: acts.close_case,
    c.ExcuseAbsence: acts.excuse,
    c.GrantLeaveSlip: acts.grant_slip,
    c.ReportCardLost: acts.card_lost,
    c.DeclareEmergency: emergency.declare_emergency,
    c.EndEmergency: emergency.end_emergency,
    c.Muster: emergency.muster,
    c.VisitorIn: register.visitor_in,
    c.VisitorOut: register.visitor_out,
    cs.CheckIn: service.check_in,
    cs.CheckOut: service.check_out,
    cs.CloseSession: closing.close_session,
    cs.CloseRest: closing.close_rest,
    cs.CorrectSession: closing.correct_session,
    cs.LockMonth: closing.lock_month,
    cs.Patrol: patrols.patrol,
    cs.NoteGrowth: patrols.note_growth,
    c.ExportEvidence: acts.export_evidence,
    Publish: publishing.publish,
    RemindOfDue: publishing.remind_of_due,
    c.TryRelay: acts.try_relay,
    c.ClearCampus: close_of_day.clear_campus,
    c.SignedIn: _signed_in,
    c.DeviceChanged: _device,
    c.WatchTurns: turnstiles.watch,
    c.Passed: turnstiles.passed,
    c.Tick: _tick,
    c.PeerEntries: _peers,
    c.AdoptDirectory: _directory,
    c.LinkChanged: link.changed,
    c.PicturesErased: _pictures_erased,
    c.DiskSeen: disk.seen,
    c.PruneRecords: pruned.prune,
    c.FaceCompared: faces.compared,
    c.RecordConsent: consent.record,
    c.FaceErased: consent.erased,
    p.ErasePersons: privacy.erase,
    p.ErasureDone: privacy.erasure_done,
    p.RetentionErased: privacy.retention,
    p.SetHold: privacy.set_hold,
    p.LiftHold: privacy.lift_hold,
    p.ExportChild: privacy.export,
    p.AskCorrection: privacy.ask_correction,
    p.DecideCorrection: privacy.decide_correction,
    p.RecordConsentRow: privacy.consent_row,
    p.IssueNotice: privacy.issue,
    p.ReportIncident: privacy.incident,
}
