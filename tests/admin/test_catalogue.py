"""The compiled catalogue of the admin library's sentences says what its source says."""

import gettext
import re
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "locale" / "zh_Hans" / "LC_MESSAGES"


def test_the_compiled_catalogue_is_that_of_the_source() -> None:
    source = (FOLDER / "django.po").read_text(encoding="utf-8")
    pairs = re.findall(r'^msgid "((?:[^"\\]|\\.)+)"\nmsgstr "((?:[^"\\]|\\.)+)"$', source, re.M)
    assert len(pairs) > 40
    with (FOLDER / "django.mo").open("rb") as compiled:
        catalogue = gettext.GNUTranslations(compiled)
    for english, chinese in pairs:
        assert catalogue.gettext(english.replace('\\"', '"')) == chinese.replace('\\"', '"')
