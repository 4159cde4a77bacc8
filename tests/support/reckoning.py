"""The books of a term reckoned a second time: plain SQL over the raw entries of journal.db, knowing nothing of `kiosk.reports`.

Only words of the journal's format stand here. Who is who comes from the tables of directory.db, also by SQL.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from pathlib import Path
from typing import Any

Row = tuple[Any, ...]
CNY_OF_A_CLASS_HOUR = 30  # Xiji's paper: 按照每班每课时30元
LEFT_OUT = ("early_care", "lunch", "noon_nap", "evening_study")  # the national notice: 不得纳入课后服务范围

_TABLES = """
CREATE TEMP TABLE fact AS
  SELECT boot * 1000000000000 + seq AS place, kind, CAST(raw AS TEXT) AS j FROM entries
  WHERE kind IN ('arrived', 'campus_cleared', 'escort_arrived', 'escort_departed', 'handover_accepted', 'handover_offered',
    'patrolled', 'read_refused', 'roll_called', 'session_closed', 'session_corrected', 'staff_checked_in');
CREATE TEMP TABLE archived AS
  SELECT min(place) AS place, json_extract(j, '$.body.day') AS day, json_extract(j, '$.body.session') AS session,
    json_extract(j, '$.body.kind') AS kind, json_extract(j, '$.body.slot') AS slot, json_extract(j, '$.body.name') AS name,
    json_extract(j, '$.body.form') AS form, json_extract(j, '$.body.room') AS room, json_extract(j, '$.body.from_ms') AS from_ms,
    json_extract(j, '$.body.to_ms') AS to_ms, json_extract(j, '$.body.enrolled') AS enrolled,
    json_extract(j, '$.body.class_hours') AS class_hours, j
  FROM fact WHERE kind = 'session_closed' GROUP BY day, session;
CREATE TEMP TABLE corrected AS
  SELECT place, json_extract(j, '$.body.for_day') AS day, json_extract(j, '$.body.session') AS session,
    json_extract(j, '$.body.day') AS made_on, json_extract(j, '$.body.class_hours') AS class_hours,
    json_extract(j, '$.body.locked') AS locked, json_extract(j, '$.body.closed') AS closed, j
  FROM fact WHERE kind = 'session_corrected';
CREATE TEMP TABLE said AS
  SELECT a.place, a.day, a.session, CAST(e.key AS INTEGER) AS child, e.value AS state
    FROM archived a, json_each(a.j, '$.body.states') e
  UNION ALL
  SELECT c.place, c.day, c.session, CAST(e.key AS INTEGER), e.value FROM corrected c, json_each(c.j, '$.body.states') e;
CREATE TEMP TABLE state AS SELECT day, session, child, state, max(place) AS place FROM said GROUP BY day, session, child;
CREATE TEMP TABLE guest AS
  SELECT a.day, a.session, e.value AS child FROM archived a, json_each(a.j, '$.body.guests') e;
CREATE TEMP TABLE taught AS
  SELECT a.day, a.session,
    coalesce((SELECT c.class_hours FROM corrected c WHERE c.day = a.day AND c.session = a.session
      AND c.class_hours IS NOT NULL ORDER BY c.place DESC LIMIT 1), a.class_hours) AS class_hours,
    coalesce((SELECT json_extract(c.j, '$.body.teachers') FROM corrected c WHERE c.day = a.day AND c.session = a.session
      AND json_extract(c.j, '$.body.teachers') IS NOT NULL ORDER BY c.place DESC LIMIT 1),
      json_extract(a.j, '$.body.teachers')) AS teachers
  FROM archived a;
CREATE TEMP TABLE credit AS
  SELECT t.day, t.session, e.value AS staff, t.class_hours FROM taught t, json_each(t.teachers) e;
CREATE TEMP TABLE came AS
  SELECT json_extract(j, '$.body.day') AS day, json_extract(j, '$.body.session') AS session,
    json_extract(j, '$.body.staff') AS staff, min(json_extract(j, '$.at_ms')) AS at_ms
  FROM fact WHERE kind = 'staff_checked_in' GROUP BY 1, 2, 3;
CREATE TEMP TABLE rolled AS
  SELECT json_extract(j, '$.body.day') AS day, substr(json_extract(j, '$.body.roster'), 9) AS session,
    min(json_extract(j, '$.at_ms')) AS at_ms
  FROM fact WHERE kind = 'roll_called' AND json_extract(j, '$.body.roster') LIKE 'session:%' GROUP BY 1, 2;
CREATE TEMP TABLE looked AS
  SELECT json_extract(j, '$.body.day') AS day, json_extract(j, '$.body.session') AS session, count(*) AS times,
    sum(json_extract(j, '$.body.finding') <> 'in_order') AS findings
  FROM fact WHERE kind = 'patrolled' GROUP BY 1, 2;
CREATE TEMP TABLE there AS
  SELECT day, session, child FROM state WHERE state IN ('present', 'late', 'left_early')
  UNION ALL SELECT day, session, child FROM guest;
CREATE INDEX temp.of_state ON state (day, session);
CREATE INDEX temp.of_guest ON guest (day, session);
CREATE INDEX temp.of_there ON there (day, session);
CREATE INDEX temp.of_corrected ON corrected (day, session);
"""


class Reckoning:
    """`since` the state folder was left: nothing is kept up to date."""

    def __init__(self, state: Path) -> None:
        self._db = sqlite3.connect(":memory:")
        self._db.execute("ATTACH ? AS journal", (str(state / "journal.db"),))
        self._db.execute("ATTACH ? AS people", (str(state / "directory.db"),))
        self._db.executescript(_TABLES)

    def close(self) -> None:
        self._db.close()

    def rows(self, sql: str, *values: Any) -> list[Row]:
        return self._db.execute(sql, values).fetchall()

    def one(self, sql: str, *values: Any) -> Any:
        return self._db.execute(sql, values).fetchone()[0]

    # --- what stands ------------------------------------------------------------------------------------

    def sittings(self) -> dict[tuple[str, str], dict[int, str]]:
        """(day, session) -> child -> state, as corrected; every archived session is there."""
        found: dict[tuple[str, str], dict[int, str]] = {(d, s): {} for d, s in self.rows("SELECT day, session FROM archived")}
        for day, session, child, state in self.rows("SELECT day, session, child, state FROM state"):
            found[day, session][child] = state
        return found

    def guests(self) -> dict[tuple[str, str], set[int]]:
        found: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
        for day, session, child in self.rows("SELECT day, session, child FROM guest"):
            found[day, session].add(child)
        return dict(found)

    def teaching(self) -> dict[tuple[str, str], tuple[frozenset[int], float]]:
        """(day, session) -> who taught, class-hours."""
        found = {(d, s): (set[int](), hours) for d, s, hours in self.rows("SELECT day, session, class_hours FROM taught")}
        for day, session, staff in self.rows("SELECT day, session, staff FROM credit"):
            found[day, session][0].add(staff)
        return {key: (frozenset(staff), hours) for key, (staff, hours) in found.items()}

    # --- attendance -------------------------------------------------------------------------------------

    def attendance(self, month: str) -> dict[str, dict[str, int]]:
        """学号 -> how often in each state, as a guest, and on how many days there. `month`: 2026-10, or 2026 for all."""
        found: defaultdict[str, dict[str, int]] = defaultdict(dict)
        like = f"{month}%"
        for number, state, times in self.rows(
            "SELECT p.school_number, s.state, count(*) FROM state s JOIN people.pupils p ON p.number = s.child"
            " WHERE s.day LIKE ? GROUP BY 1, 2", like,
        ):  # fmt: skip
            found[number][state] = times
        for number, times in self.rows(
            "SELECT p.school_number, count(*) FROM guest g JOIN people.pupils p ON p.number = g.child"
            " WHERE g.day LIKE ? GROUP BY 1", like,
        ):  # fmt: skip
            found[number]["guests"] = times
        for number, days in self.rows(
            "SELECT p.school_number, count(DISTINCT t.day) FROM there t JOIN people.pupils p ON p.number = t.child"
            " WHERE t.day LIKE ? GROUP BY 1", like,
        ):  # fmt: skip
            found[number]["days"] = days
        return dict(found)

    def by_session(self, month: str) -> dict[tuple[str, str], tuple[int, int, int, float]]:
        """(day, name) -> expected, there of the enrolled, guests, class-hours."""
        rows = self.rows(
            "SELECT a.day, a.name, (SELECT count(*) FROM state s WHERE s.day = a.day AND s.session = a.session"
            " AND s.state <> 'moved'), (SELECT count(*) FROM state s WHERE s.day = a.day AND s.session = a.session"
            " AND s.state IN ('present', 'late', 'left_early')), (SELECT count(*) FROM guest g WHERE g.day = a.day"
            " AND g.session = a.session), t.class_hours FROM archived a JOIN taught t USING (day, session) WHERE a.day LIKE ?",
            f"{month}%",
        )
        return {(day, name): (expected, there, guests, hours) for day, name, expected, there, guests, hours in rows}

    # --- class-hours and money --------------------------------------------------------------------------

    def class_hours(self, month: str) -> dict[str, tuple[float, int, int]]:
        """工号 -> class-hours, sessions, days."""
        rows = self.rows(
            "SELECT s.staff_number, round(sum(c.class_hours), 1), count(*), count(DISTINCT c.day) FROM credit c"
            " JOIN people.staff s ON s.number = c.staff WHERE c.day LIKE ? GROUP BY 1", f"{month}%",
        )  # fmt: skip
        return {number: (hours, sessions, days) for number, hours, sessions, days in rows}

    def funding(self, month: str) -> tuple[int, int, float, int]:
        """Groups with a child, groups without one, class-hours that count, yuan: each group once, whoever taught it."""
        rows = self.rows(
            "SELECT t.class_hours, (SELECT count(*) FROM there w WHERE w.day = t.day AND w.session = t.session)"
            " FROM taught t JOIN archived a USING (day, session)"
            " WHERE t.day LIKE ? AND a.kind NOT IN (?, ?, ?, ?)", f"{month}%", *LEFT_OUT,
        )  # fmt: skip
        hours = round(sum(one for one, there in rows if there), 1)
        held = sum(1 for _, there in rows if there)
        return held, len(rows) - held, hours, round(hours * CNY_OF_A_CLASS_HOUR)

    def months_of_pupils(self) -> dict[tuple[str, str], tuple[int, int]]:
        """(month, 学号) -> days expected, days there. The day of a session that does not count is none."""
        found: dict[tuple[str, str], list[int]] = {}
        for place, table in enumerate(("state", "there")):
            for month, number, days in self.rows(
                f"SELECT substr(x.day, 1, 7), p.school_number, count(DISTINCT x.day) FROM {table} x"
                " JOIN archived a USING (day, session) JOIN people.pupils p ON p.number = x.child"
                " WHERE a.kind NOT IN (?, ?, ?, ?) GROUP BY 1, 2", *LEFT_OUT,
            ):  # fmt: skip
                found.setdefault((month, number), [0, 0])[place] = days
        return {key: (expected, there) for key, (expected, there) in found.items()}

    def pupils_of_term(self, first: str, last: str, *, agreed: bool) -> dict[str, int]:
        """学号 -> days there, of those with an agreement that holds in the term, or of those without."""
        rows = self.rows(
            "SELECT p.school_number, count(DISTINCT t.day) FROM there t JOIN archived a USING (day, session)"
            " JOIN people.pupils p ON p.number = t.child WHERE a.kind NOT IN (?, ?, ?, ?)"
            " AND EXISTS (SELECT 1 FROM people.enrolments e WHERE e.child = p.number AND e.agreement <> ''"
            "   AND coalesce(e.valid_from, '') <= ? AND coalesce(e.valid_to, '9999') >= ?) = ? GROUP BY 1",
            *LEFT_OUT, last, first, int(agreed),
        )  # fmt: skip
        return dict(rows)

    # --- what goes upward, and what the school keeps for itself --------------------------------------------

    def figures(self, month: str) -> dict[str, int]:
        """The counts of the statistics, of sessions that count. A child-week is full where the child belonged on every day."""
        like, kinds = f"{month}%", LEFT_OUT
        counts = "FROM archived a WHERE a.day LIKE ? AND a.kind NOT IN (?, ?, ?, ?)"
        of = "JOIN archived a USING (day, session) WHERE a.day LIKE ? AND a.kind NOT IN (?, ?, ?, ?)"
        found = {
            "days": self.one(f"SELECT count(DISTINCT a.day) {counts}", like, *kinds),
            "sessions": self.one(f"SELECT count(*) {counts}", like, *kinds),
            "enrolled": self.one(f"SELECT count(DISTINCT x.child) FROM state x {of}", like, *kinds),
            "there": self.one(f"SELECT count(DISTINCT x.child) FROM there x {of}", like, *kinds),
            "expected_times": self.one(f"SELECT count(*) FROM state x {of} AND x.state <> 'moved'", like, *kinds),
            "guest_times": self.one(f"SELECT count(*) FROM guest x {of}", like, *kinds),
        }
        found["attended_times"] = self.one(f"SELECT count(*) FROM there x {of}", like, *kinds) - found["guest_times"]
        belonged = (
            "SELECT a.day AS day, strftime('%Y-%m-%d', a.day, 'weekday 0', '-6 days') AS week, x.child AS child"
            f" FROM (SELECT day, session, child FROM state UNION SELECT day, session, child FROM guest) x {of}"
        )
        found["child_weeks"] = self.one(f"SELECT count(*) FROM (SELECT DISTINCT week, child FROM ({belonged}))", like, *kinds)
        found["full_weeks"] = self.one(
            f"SELECT count(*) FROM (SELECT week, child, count(DISTINCT day) AS mine FROM ({belonged}) GROUP BY week, child) m"
            " JOIN (SELECT strftime('%Y-%m-%d', a.day, 'weekday 0', '-6 days') AS week, count(DISTINCT a.day) AS ran"
            f" {counts} GROUP BY 1) w USING (week) WHERE m.mine = w.ran", like, *kinds, like, *kinds,
        )  # fmt: skip
        return found

    def months_of_teachers(self, month: str, roll_due_min: int) -> dict[str, tuple[int, int, int, int, int]]:
        """工号 -> sessions, checked in by the start, rolls called in time, patrols, patrols that found something."""
        rows = self.rows(
            "SELECT s.staff_number, count(*), sum(came.at_ms <= a.from_ms), sum(rolled.at_ms <= a.from_ms + ? * 60000),"
            " sum(looked.times), sum(looked.findings) FROM credit c JOIN archived a USING (day, session)"
            " JOIN people.staff s ON s.number = c.staff"
            " LEFT JOIN came ON came.day = c.day AND came.session = c.session AND came.staff = c.staff"
            " LEFT JOIN rolled ON rolled.day = c.day AND rolled.session = c.session"
            " LEFT JOIN looked ON looked.day = c.day AND looked.session = c.session"
            " WHERE c.day LIKE ? GROUP BY 1", roll_due_min, f"{month}%",
        )  # fmt: skip
        return {number: tuple(value or 0 for value in values) for number, *values in rows}

    def weeks_held(self) -> int:
        """Weeks, Monday to Sunday, in which the service ran with a child there."""
        return int(self.one(
            "SELECT count(DISTINCT strftime('%Y-%m-%d', a.day, 'weekday 0', '-6 days')) FROM there t"
            " JOIN archived a USING (day, session) WHERE a.kind NOT IN (?, ?, ?, ?)", *LEFT_OUT,
        ))  # fmt: skip

    def early(self, month: str) -> tuple[int, int]:
        """Arrivals of children, the first of each day; those before the gate was opened."""
        row = self.rows(
            "SELECT count(*), sum(reason = 'early_arrival') FROM (SELECT json_extract(j, '$.body.reason') AS reason, min(place)"
            " FROM fact WHERE kind = 'arrived' AND json_extract(j, '$.body.day') LIKE ?"
            " GROUP BY json_extract(j, '$.body.day'), json_extract(j, '$.body.child'))", f"{month}%",
        )  # fmt: skip
        return row[0]
