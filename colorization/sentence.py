"""Sentences that keep their parts: English for everybody, and a template with values for whoever translates them."""

from typing import Any, Self


class Sentence(str):
    """A sentence about what happened, such as `Sentence("Frame {} of {}", 3, 12)`.

    It is an ordinary string, and `str()` of it is still a `Sentence`.

    Attributes:
        template: The sentence with `{}` for each value.
        values: What stands there; some may be sentences too.
    """

    __slots__ = ("template", "values")
    template: str
    values: tuple[str, ...]

    def __new__(cls, template: str, *values: object) -> Self:
        """Fill in the values; a template without any is the sentence itself."""
        if isinstance(template, cls) and not values:
            return template
        texts = tuple(map(str, values))
        sentence = super().__new__(cls, template.format(*texts) if values else template)
        sentence.template, sentence.values = template, texts
        return sentence

    def __str__(self) -> str:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Sentence, (self.template, *self.values)

    @property
    def parts(self) -> list[Any]:
        """Template and values as JSON, from which another process makes the same sentence."""
        return [self.template, *(value.parts if isinstance(value, Sentence) else value for value in self.values)]

    @classmethod
    def from_parts(cls, parts: list[Any]) -> Self:
        """The sentence that has these `parts`."""
        template, *values = parts
        return cls(template, *(cls.from_parts(value) if isinstance(value, list) else value for value in values))


class SentenceError(ValueError):
    """An error whose message is a `Sentence`; `str()` gives it with its parts.

    Args:
        template: The sentence with `{}` for each value.
        values: What stands there.
    """

    def __init__(self, template: str, *values: object) -> None:
        super().__init__(Sentence(template, *values))

    def __str__(self) -> str:
        return self.args[0]
