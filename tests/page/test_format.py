"""Numbers and times that the page writes are those of the browser's own tables, in both languages and in zones that change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.page.conftest import Watched
from view.clock_changes import clock_changes

ASKED = """async ({ lang, zone, clock, moments, days, numbers }) => {
  const root = document.body.dataset.root;
  const [format, words] = await Promise.all([import(`${root}/base/format.js`), import(`${root}/base/words.js`)]);
  await words.speak(lang);
  format.setClock(clock);
  const parts = options => {
    const made = new Intl.DateTimeFormat(lang === 'zh' ? 'zh-CN' : 'en-GB', { timeZone: zone, hourCycle: 'h23', ...options });
    return at => Object.fromEntries(made.formatToParts(at).map(part => [part.type, part.value]));
  };
  const whole = parts({ year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', weekday: 'short' });
  const number = digits => new Intl.NumberFormat(lang === 'zh' ? 'zh-CN' : 'en-GB', { maximumFractionDigits: digits });
  return {
    ours: moments.map(at => [format.clock(at), format.minute(at), format.day(at), format.isoDay(at)]),
    theirs: moments.map(at => {
      const one = whole(new Date(at));
      const time = `${one.hour}:${one.minute}`;
      return [`${time}:${one.second}`,
        lang === 'zh' ? `${one.month}/${one.day} ${time}` : `${one.day}/${one.month}, ${time}`,
        lang === 'zh' ? `${one.year}/${one.month}/${one.day} ${one.weekday}` : `${one.weekday} ${one.day}/${one.month}/${one.year}`,
        `${one.year}-${one.month}-${one.day}`];
    }),
    midnights: days.map(day => format.midnight(day).toISOString()),
    numbers: numbers.map(([value, digits]) => [format.number(value, digits), number(digits).format(value)]),
  };
}"""
NUMBERS = [
    (value, digits)
    for value in (0, 7, 999, 1000, 1234.5, 12_345.678, 102_000_000, 0.25, 0.1 + 0.2, 99.95, -1, -1234.5, -123_456, 1e9)
    for digits in (0, 1, 3)
]


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", ["Asia/Shanghai", "Europe/Berlin", "Australia/Sydney", "America/St_Johns"])
def test_the_page_writes_what_the_browser_would(watched: Watched, lang: str, name: str) -> None:
    """Every five hours and a bit of two years, so every clock change and many midnights; the first instant of each day."""
    zone = ZoneInfo(name)
    first = datetime(2025, 1, 1, tzinfo=UTC)
    moments = [(first + timedelta(minutes=307 * n, seconds=n % 60)).isoformat().replace("+00:00", "Z") for n in range(3424)]
    days = [datetime(2025, 1, 1, tzinfo=zone) + timedelta(days=n) for n in range(730)]
    page = watched.open(lang=lang)
    told: dict[str, Any] = page.evaluate(
        ASKED,
        {
            "lang": lang,
            "zone": name,
            "clock": clock_changes(zone),
            "moments": moments,
            "days": [f"{day:%Y-%m-%d}" for day in days],
            "numbers": NUMBERS,
        },
    )

    assert told["ours"] == told["theirs"]
    assert told["midnights"] == [f"{day.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z" for day in days]
    assert [one for one in told["numbers"] if one[0] != one[1]] == []
