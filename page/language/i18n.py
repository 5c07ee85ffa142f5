"""English and Korean: labels that gradio translates in the browser, sentences that the server writes for a visitor."""

import fastapi
import gradio as gr

from colorization.sentence import Sentence
from page.language.korean import KOREAN

# The browser reads these as ICU messages, in which `{` begins an argument; those with one are for our own scripts.
_LABELS = {text: korean for text, korean in KOREAN.items() if "{" not in text}
_GRADIOS = {"common.complete": "완료", "common.upload": "업로드"}  # which its own Korean lacks: it shows the keys
I18N = gr.I18n(en={text: text for text in _LABELS}, ko=_LABELS | _GRADIOS)


def label(text: str) -> str:
    """A label, info or Markdown text that gradio shows in the browser's language."""
    return str(I18N(text))


def is_korean(request: gr.Request | fastapi.Request | None) -> bool:
    """Whether a visitor's browser asks for Korean first."""
    return request is not None and prefers_korean(request.headers.get("accept-language", ""))


def prefers_korean(languages: str) -> bool:
    """Whether an Accept-Language header begins with Korean."""
    return languages.lower().startswith("ko")


def say(request: gr.Request | fastapi.Request | None, text: str) -> str:
    """A sentence in the visitor's language."""
    return to_korean(text) if is_korean(request) else text


def to_korean(text: str) -> str:
    """A sentence in Korean, with its values; English where there is no translation."""
    sentence = Sentence(text)
    korean = KOREAN.get(sentence.template)
    if korean is None or not sentence.values:
        return korean or text
    return korean.format(*(to_korean(value) if isinstance(value, Sentence) else value for value in sentence.values))
