"""Who speaks in the corpus: people recorded in Debian's packages, and synthetic voices; each speaker is in one fold."""

from __future__ import annotations

from dataclasses import dataclass

from bench.corpus.clip import Fold, Origin

#: Debian packages with recorded voices, music and noises, and the programs that speak. About 500 MB, fetched once.
PACKAGES = (
    "asterisk-core-sounds-es-wav", "asterisk-core-sounds-fr-wav", "asterisk-core-sounds-it-wav",
    "asterisk-core-sounds-ru-wav", "asterisk-prompt-it-menardi-wav", "asterisk-prompt-fr-armelle",
    "asterisk-prompt-es-co", "asterisk-prompt-de", "asterisk-moh-opsound-wav", "fillets-ng-data-cs",
    "fillets-ng-data-nl", "hedgewars-data", "ktuberling-data", "tuxpaint-stamps-default", "pocketsphinx-testdata",
    "flite", "festival", "festvox-suopuhe-lj", "festvox-suopuhe-mv", "festvox-kdlpc16k", "festlex-cmu",
    "festlex-poslex",
)  # fmt: skip

_ASTERISK = "usr/share/asterisk/sounds"
_FILLETS = "usr/share/games/fillets-ng/sound"
_STAMPS = "usr/share/tuxpaint/stamps"
_POTATO = "usr/share/ktuberling/sounds"
_HEDGEHOGS = "usr/share/games/hedgewars/Data/Sounds/voices"


@dataclass(frozen=True, slots=True)
class Speaker:
    """``people`` and ``machines`` are how many clips of each are made at full size.

    ``files`` are patterns under the packages' root; of those, ``only`` (a regular expression on the stem) are taken.
    A synthetic voice has no files: ``engine`` speaks the texts of its fold and language.
    """

    name: str
    fold: Fold
    language: str
    source: str
    people: int
    machines: int
    files: tuple[str, ...] = ()
    only: str = ""
    engine: str = ""

    @property
    def origin(self) -> Origin:
        return Origin.SYNTHETIC if self.engine else Origin.RECORDED


def _prompts(name: str, fold: Fold, people: int = 80, machines: int = 100) -> Speaker:
    folder = f"{_ASTERISK}/{name}"
    files = (f"{folder}/*.wav", f"{folder}/*.gsm", f"{folder}/*/*.wav", f"{folder}/*/*.gsm")
    return Speaker(f"asterisk {name}", fold, name[:2], "asterisk", people, machines, files)


def _stamps(language: str, fold: Fold, people: int = 90, machines: int = 40) -> Speaker:
    files = (f"{_STAMPS}/**/*_desc_{language}.ogg",)
    return Speaker(f"tuxpaint {language}", fold, language, "tuxpaint", people, machines, files)


def _potato(language: str, fold: Fold, people: int = 50, machines: int = 15) -> Speaker:
    files = (f"{_POTATO}/{language}/*.*",)
    return Speaker(f"ktuberling {language}", fold, language, "ktuberling", people, machines, files)


def _hedgehog(name: str, language: str, fold: Fold, people: int = 30, machines: int = 10) -> Speaker:
    return Speaker(
        f"hedgewars {name}", fold, language, "hedgewars", people, machines, (f"{_HEDGEHOGS}/{name}/*.ogg",),
        r"(?!Ooff|Ow\d|Poison|Laugh|Kamikaze|Jump|Hmm|Nooo)",
    )  # fmt: skip


def _fish(language: str, letter: str, fold: Fold, people: int = 90, machines: int = 110) -> Speaker:
    name, files = f"fillets {language} {letter}", (f"{_FILLETS}/*/{language}/*.ogg",)
    return Speaker(name, fold, language, "fillets", people, machines, files, rf"[^-]*-{letter}-")


def _espeak(voice: str, fold: Fold, people: int = 30, machines: int = 35) -> Speaker:
    return Speaker(f"espeak {voice}", fold, voice[:2], "espeak-ng", people, machines, engine="espeak")


def _flite(voice: str, fold: Fold, people: int = 30, machines: int = 35) -> Speaker:
    return Speaker(f"flite {voice}", fold, "en", "flite", people, machines, engine="flite")


def _festival(voice: str, language: str, people: int = 30, machines: int = 35) -> Speaker:
    """Only to measure with."""
    return Speaker(f"festival {voice}", Fold.FINAL, language, "festival", people, machines, engine="festival")


SPEAKERS: tuple[Speaker, ...] = (
    _prompts("en_US_f_Allison", Fold.TRAIN), _prompts("es_MX_f_Allison", Fold.TRAIN, 40, 50),
    _prompts("it_IT_m_Carlo", Fold.TRAIN), _prompts("it_IT_f_Menardi", Fold.TRAIN),
    _prompts("es_CO_f_Avatar", Fold.TRAIN),
    _fish("cs", "m", Fold.TRAIN), _fish("cs", "v", Fold.TRAIN),
    _fish("cs", "(?:hs|c|x|pap|r|p|s|leb|k|o)", Fold.TRAIN, 30, 30),
    _stamps("es", Fold.TRAIN), _stamps("ca", Fold.TRAIN), _stamps("ro", Fold.TRAIN), _stamps("bg", Fold.TRAIN),
    _stamps("nn", Fold.TRAIN), _stamps("be", Fold.TRAIN),
    _potato("ca", Fold.TRAIN), _potato("nn", Fold.TRAIN), _potato("id", Fold.TRAIN), _potato("en", Fold.TRAIN),
    _potato("gl", Fold.TRAIN), _potato("ga", Fold.TRAIN, 15, 0), _potato("es", Fold.TRAIN, 15, 0),
    _potato("it", Fold.TRAIN, 15, 0), _potato("pt", Fold.TRAIN, 15, 0), _potato("ro", Fold.TRAIN, 15, 0),
    _potato("sr", Fold.TRAIN, 15, 0), _potato("eo", Fold.TRAIN, 15, 0),
    _hedgehog("Classic", "en", Fold.TRAIN), _hedgehog("HillBilly", "en", Fold.TRAIN),
    _hedgehog("Default", "en", Fold.TRAIN), _hedgehog("Default_es", "es", Fold.TRAIN),
    _hedgehog("Default_pl", "pl", Fold.TRAIN), _hedgehog("Russian_pl", "pl", Fold.TRAIN),
    _espeak("en-us", Fold.TRAIN), _espeak("en-us+f2", Fold.TRAIN), _espeak("en-gb+m3", Fold.TRAIN),
    _espeak("es+f3", Fold.TRAIN, 15, 20), _espeak("it+m2", Fold.TRAIN, 15, 20), _flite("awb", Fold.TRAIN),
    _flite("rms", Fold.TRAIN), _flite("kal16", Fold.TRAIN),
    _prompts("fr_CA_f_June", Fold.DEV), _prompts("ru_RU_f_IvrvoiceRU", Fold.DEV), _prompts("fr", Fold.DEV, 60, 70),
    _stamps("fr", Fold.DEV, 60, 25), _stamps("ru", Fold.DEV, 60, 25), _potato("fr", Fold.DEV), _potato("wa", Fold.DEV),
    _potato("ru", Fold.DEV), _potato("uk", Fold.DEV), _hedgehog("Default_ru", "ru", Fold.DEV),
    _hedgehog("Default_uk", "uk", Fold.DEV), _hedgehog("Singer", "en", Fold.DEV, 20, 5), _flite("slt", Fold.DEV),
    _espeak("en-gb+f4", Fold.DEV), _espeak("fr+m4", Fold.DEV, 15, 20),
    _prompts("de", Fold.FINAL, 120, 130), _fish("nl", "m", Fold.FINAL, 90, 130), _fish("nl", "v", Fold.FINAL, 90, 130),
    _stamps("el", Fold.FINAL), _stamps("da", Fold.FINAL, 60, 30), _stamps("lt", Fold.FINAL, 40, 20),
    _stamps("nl", Fold.FINAL, 30, 15), _potato("de", Fold.FINAL, 70), _potato("da", Fold.FINAL, 30),
    _potato("el", Fold.FINAL, 40), _potato("lt", Fold.FINAL, 30), _potato("sl", Fold.FINAL),
    _potato("sv", Fold.FINAL, 15, 0), _potato("fi", Fold.FINAL, 12, 0), _potato("nds", Fold.FINAL, 15, 0),
    _hedgehog("British", "en", Fold.FINAL, 40, 15), _hedgehog("Mobster", "en", Fold.FINAL, 40, 15),
    _hedgehog("Surfer", "en", Fold.FINAL, 40, 15), _hedgehog("Pirate", "en", Fold.FINAL),
    Speaker("librivox", Fold.FINAL, "en", "pocketsphinx", 0, 12,
            ("usr/share/pocketsphinx/test/data/librivox/*.wav",)),
    _festival("kdl", "en"), _festival("lj", "fi", 20, 25), _festival("mv", "fi", 20, 25),
)  # fmt: skip
