"""What fits into the places of a text, how many texts a long one is, and what the provider's codes mean."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import clock
from core.admin import cost_words
from core.texts import width
from sms.errors import TextUnfit
from sms.gateways.tencent_codes import judge
from sms.services import words
from sms.wording import count_segments, fit_param, gaps_of, is_numbered_well, is_opt_out

NOON = dt.datetime(2026, 11, 28, 4, 0, tzinfo=dt.UTC)  # twelve o'clock in Shanghai


@given(st.text(max_size=60), st.integers(min_value=2, max_value=30))
def test_a_value_that_fits_is_one_line_within_the_limit_and_fits_again(value: str, limit: int) -> None:
    try:
        fitted = fit_param(value, limit=limit, is_code=False)
    except TextUnfit:
        return
    assert 0 < width(fitted) <= limit
    assert "\n" not in fitted
    assert "\0" not in fitted
    assert fit_param(fitted, limit=limit, is_code=False) == fitted


@pytest.mark.parametrize(
    "value", ["", " \n", "\u200b", "http://a", "见HTTPS://x", "www.suyi", "suyi.com", "点 a-b.cn/x 看"]
)
def test_what_the_provider_would_refuse_is_unfit(value: str) -> None:
    with pytest.raises(TextUnfit):
        fit_param(value, limit=20, is_code=False)


def test_what_only_looks_like_an_address_fits() -> None:
    for value in ("1.5 折", "2026.11.28", "A.Common 咖啡", "v2.0", "¥1,280.50"):
        assert fit_param(value, limit=20, is_code=False) == value


@pytest.mark.parametrize("value", ["", "1234567", "12 34", "１２３", "12a", "-1"])
def test_a_code_is_up_to_six_digits(value: str) -> None:
    with pytest.raises(TextUnfit):
        fit_param(value, limit=6, is_code=True)


@pytest.mark.parametrize(
    ("length", "count"), [(1, 1), (70, 1), (71, 2), (134, 2), (135, 3), (201, 3), (202, 4), (500, 8)]
)
def test_seventy_characters_are_one_and_more_are_cut_every_sixty_seven(length: int, count: int) -> None:
    assert count_segments("字" * length) == count


def test_an_emoji_counts_as_two() -> None:
    assert count_segments("字" * 69 + "😀") == 2


def test_places_are_numbered_from_one_without_a_hole() -> None:
    assert gaps_of("{2}和{1}和{2}") == [1, 2]
    assert is_numbered_well("没有变量")
    assert not is_numbered_well("{0}")
    assert not is_numbered_well("{1}{3}")
    assert not is_numbered_well("".join(f"{{{number}}}" for number in range(1, 22)))


@given(st.text(max_size=40))
def test_any_answer_is_read(answer: str) -> None:
    assert is_opt_out(answer) in (True, False)


@pytest.mark.parametrize(
    ("hundredths", "shown"), [(0, "—"), (450, "¥0.045"), (5_000, "¥0.50"), (123_456, "¥12.3456")]
)
def test_costs_are_shown_to_the_last_digit(hundredths: int, shown: str) -> None:
    assert cost_words(hundredths) == shown


@pytest.mark.parametrize(
    ("code", "fate", "ours"),
    [
        ("FailedOperation.ContainSensitiveWord", "refused", "sensitive_word"),
        ("InvalidParameterValue.ContentLengthLimit", "refused", "too_long"),
        ("InvalidParameterValue.TemplateParameterLengthLimit", "refused", "param_too_long"),
        ("LimitExceeded.PhoneNumberDailyLimit", "refused", "number_limit"),
        ("LimitExceeded.PhoneNumberThirtySecondLimit", "later", "number_pace"),
        ("LimitExceeded.PhoneNumberOneHourLimit", "later", "number_pace"),
        ("FailedOperation.InsufficientBalanceInSmsPackage", "halted", "no_balance"),
        ("UnauthorizedOperation.ServiceSuspendDueToArrears", "halted", "no_balance"),
        ("UnauthorizedOperation.RequestIpNotInWhitelist", "halted", "ip_refused"),
        ("AuthFailure.SignatureExpire", "halted", "misconfigured"),
        ("InternalError.Timeout", "unclear", "busy"),
        ("InternalError.SendAndRecvFail", "unclear", "busy"),
        ("", "unclear", "busy"),
        ("RequestLimitExceeded.UinLimitExceeded", "later", "too_fast"),
        ("FailedOperation.Something13800138000New", "refused", "provider.FailedOperation.SomethingNew"),
    ],
)
def test_what_the_providers_codes_mean(code: str, fate: str, ours: str) -> None:
    verdict = judge(code, at=NOON)
    assert (verdict.fate, verdict.code) == (fate, ours)
    assert ours in words.WORDS or ours.startswith("provider.")


def test_a_spent_day_and_marketing_at_night_end_by_the_clock_of_shanghai() -> None:
    assert judge("LimitExceeded.AppDailyLimit", at=NOON).until == clock.day_bounds(dt.date(2026, 11, 28))[1]
    night = dt.datetime(2026, 11, 28, 15, 0, tzinfo=dt.UTC)  # twenty-three o'clock
    verdict = judge("FailedOperation.MarketingSendTimeConstraint", at=night)
    assert night + dt.timedelta(seconds=verdict.pause_s) == dt.datetime(2026, 11, 29, 0, 1, tzinfo=dt.UTC)
