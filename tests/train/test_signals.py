"""Signals to stop that come at an inconvenient moment."""

import signal

import pytest

from train.signals import Signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_comes_while_handlers_are_installed_is_noted(monkeypatch, number):
    before = signal.getsignal(number)
    install = signal.signal

    def install_and_receive(wanted, handler):
        replaced = install(wanted, handler)
        if wanted == number and handler is not before:
            signal.raise_signal(number)
        return replaced

    monkeypatch.setattr(signal, "signal", install_and_receive)
    with Signals() as signals:
        assert signals.received == number
    assert signal.getsignal(number) == before
