"""English and Korean: labels that gradio translates in the browser, sentences that the server writes for a visitor."""

import gradio as gr

# English text -> Korean. The English text is the key, so that a missing translation is still a sentence. The browser
# reads them as ICU messages: no `{`, `<` or `#`.
KOREAN = {
    "Colorize": "컬러화",
    "Models": "모델",
}
I18N = gr.I18n(en={text: text for text in KOREAN}, ko=KOREAN)


def label(text: str) -> str:
    """A label, info or Markdown text that gradio shows in the browser's language."""
    return str(I18N(text))


def is_korean(request: gr.Request | None) -> bool:
    """Whether a visitor's browser asks for Korean first."""
    return request is not None and request.headers.get("accept-language", "").lower().startswith("ko")


def say(request: gr.Request | None, text: str) -> str:
    """A sentence in the visitor's language."""
    return KOREAN.get(text, text) if is_korean(request) else text
