"""A Failure keeps a caught exception as a value. Contract: Twisted's python.failure, semantics 12, 26-28, 88."""

import copy
import gc
import io
import pdb
import pickle
import sys
import threading
import traceback
import types
from collections.abc import Generator

import pytest

from torsion import failure
from torsion.failure import Failure, NoCurrentExceptionError, format_frames

HERE = __file__


def divide() -> None:
    numerator = "one"
    1 / 0
    del numerator


def caught(*, captureVars: bool = False) -> Failure:
    try:
        divide()
    except ZeroDivisionError:
        return Failure(captureVars=captureVars)
    raise AssertionError


def caught_from(exception: BaseException) -> Failure:
    try:
        raise exception
    except BaseException:
        return Failure()


# Making one


def test_inside_an_except_block_it_takes_the_exception_being_handled():
    try:
        raise ValueError("v")
    except ValueError as error:
        f = Failure()
        assert f.value is error
        assert f.type is ValueError
        assert f.tb is error.__traceback__


def test_s012_outside_an_except_block_there_is_nothing_to_take():
    with pytest.raises(NoCurrentExceptionError, match="being handled"):
        Failure()
    with pytest.raises(NoCurrentExceptionError):
        Failure(None, ValueError)


def test_a_given_exception_wins_over_the_one_being_handled_and_brings_its_own_traceback():
    other = caught().value
    try:
        raise KeyError("k")
    except KeyError:
        assert Failure(other).value is other
        assert Failure(other).tb is other.__traceback__
        assert Failure(ValueError("never raised")).tb is None


def test_type_and_traceback_can_be_given():
    tb = caught().tb
    f = Failure(ValueError("v"), KeyError, tb)
    assert (f.type, f.tb) == (KeyError, tb)


def test_s012_any_object_is_accepted_but_cannot_be_raised():
    f = Failure("text")
    assert f.type is str
    assert f.value == "text"
    assert f.check(str) is str
    assert f.check("builtins.str") is None
    with pytest.raises(AttributeError):
        f.raiseException()
    with pytest.raises(AttributeError):
        f.trap(ValueError)
    assert f.getErrorMessage() == "text"
    assert str(f) == "[Failure instance: Traceback (failure with no frames): <class 'str'>: text\n]"


def test_count_numbers_the_failures_of_the_process():
    assert Failure(ValueError()).count + 1 == Failure(ValueError()).count


def test_without_traceback_gives_what_the_constructor_gives():
    error = ValueError("v")
    ours, theirs = Failure(error), Failure._withoutTraceback(error)
    assert type(theirs) is Failure
    assert {**vars(ours), "count": 0} == {**vars(theirs), "count": 0}


def test_s028_a_failure_of_a_failure_copies_its_state():
    f = caught()
    f.extra = 3
    assert vars(Failure(f)) == vars(f)
    assert Failure(f).value is f.value


def test_s028_so_does_a_failure_made_while_a_failure_is_being_raised():
    f = caught()
    try:
        raise f
    except Failure:
        assert vars(Failure()) == vars(f)


def test_s028_variables_are_not_captured_unless_asked_for():
    assert caught().captureVars is False
    assert caught().frames[-1][3:] == ((), ())
    _, _, _, local_items, global_items = caught(captureVars=True).frames[-1]
    assert ("numerator", "one") in local_items
    assert ("HERE", HERE) in global_items


def test_class_attributes_can_be_replaced(monkeypatch):
    made = []
    plain = Failure.__init__

    def init(self, *args, **kwargs):
        made.append(self)
        plain(self, *args, **kwargs)

    monkeypatch.setattr(Failure, "__init__", init)
    f = Failure(ValueError("v"))
    assert made == [f]


def test_debug_mode_enters_the_debugger_with_the_traceback_being_handled(monkeypatch, capsys):
    entered = []
    monkeypatch.setattr(pdb, "post_mortem", entered.append)
    monkeypatch.setattr(Failure, "__init__", Failure.__init__)
    failure.startDebugMode()
    f = caught(captureVars=True)
    assert entered == [f.tb]
    assert f.captureVars
    assert "builtins.ZeroDivisionError: division by zero" in capsys.readouterr().out
    Failure(ValueError("given, not being handled"))
    monkeypatch.setattr(failure, "DO_POST_MORTEM", False)
    caught()
    assert len(entered) == 1


# Frames and traceback


def test_s026_the_traceback_and_its_live_frames_are_kept():
    f = caught()
    assert isinstance(f.tb, types.TracebackType)
    assert f.getTracebackObject() is f.tb
    assert f.value.__traceback__ is f.tb
    assert f.tb.tb_next.tb_frame.f_locals["numerator"] == "one"
    assert f.pickled == 0


def test_s026_frames_are_worked_out_when_asked_for_and_only_once():
    f = caught()
    assert "_frames" not in vars(f)
    assert [(name, file) for name, file, *_ in f.frames] == [("caught", HERE), ("divide", HERE)]
    assert f.frames[-1][2] == divide.__code__.co_firstlineno + 2
    assert f.frames is f.frames


def test_s026_cleaning_snapshots_the_frames_and_drops_the_traceback():
    f = caught(captureVars=True)
    text = f.getTraceback()
    f.cleanFailure()
    assert f.tb is None
    assert f.value.__traceback__ is None
    assert f.pickled == 1
    assert f.getTraceback() == text
    assert ("numerator", "'one'") in f.frames[-1][3]
    with pytest.raises(ZeroDivisionError):
        f.raiseException()


def test_cleaning_what_is_clean_or_no_exception_does_nothing():
    f = caught(captureVars=True)
    f.cleanFailure()
    frames = f.frames
    f.cleanFailure()
    assert f.frames == frames
    plain = Failure("text")
    plain.cleanFailure()
    assert plain.getErrorMessage() == "text"


def test_the_traceback_of_a_cleaned_failure_reads_like_the_real_one():
    f = caught()
    real = traceback.extract_tb(f.getTracebackObject())
    f.cleanFailure()
    assert traceback.extract_tb(f.getTracebackObject()) == real
    assert Failure(ValueError()).getTracebackObject() is None


def test_frames_and_parents_can_be_set():
    f = caught()
    f.frames = f.frames[:1]
    f.parents = ["elsewhere.Error"]
    for each in (f, pickle.loads(pickle.dumps(f))):
        assert each.getBriefTraceback().count(HERE) == 1
        assert each.check("elsewhere.Error") == "elsewhere.Error"
        assert each.check(ZeroDivisionError) is None


def test_stack_is_deprecated_and_empty():
    f = caught()
    with pytest.warns(DeprecationWarning, match=r"Failure\.stack was deprecated in Twisted 24\.10\.0"):
        assert f.stack == []
    with pytest.warns(DeprecationWarning, match="stack"):
        f.stack = [1]
    with pytest.warns(DeprecationWarning):
        assert f.stack == []


class Pause:
    def __await__(self) -> Generator[None, None, None]:
        yield


async def inner_coroutine() -> None:
    await Pause()


async def outer_coroutine() -> None:
    await inner_coroutine()


def test_the_real_frames_stay_readable_through_awaits():
    coroutine = outer_coroutine()
    coroutine.send(None)
    try:
        caught().throwExceptionIntoGenerator(coroutine)
    except ZeroDivisionError:
        text = Failure().getTraceback()
    order = ["outer_coroutine", "await inner_coroutine()", "inner_coroutine", "divide", "1 / 0"]
    assert [text.index(each) for each in order] == sorted(text.index(each) for each in order)


def test_a_deep_traceback_is_no_deep_recursion():
    def descend(n: int) -> None:
        if not n:
            raise ValueError("deep")
        descend(n - 1)

    try:
        descend(900)
    except ValueError:
        f = Failure()
    assert len(f.frames) == 902
    f.cleanFailure()
    assert len(traceback.extract_tb(f.getTracebackObject())) == 902
    assert f.getTraceback().count("descend(n - 1)") == 900


# Asking about it


def test_s027_check_gives_the_first_class_that_matches():
    f = caught()
    assert f.check(ZeroDivisionError) is ZeroDivisionError
    assert f.check(KeyError, ArithmeticError, Exception) is ArithmeticError
    assert f.check(KeyError, ValueError) is None
    assert f.check() is None


def test_s027_check_takes_qualified_names():
    f = caught()
    assert f.check("builtins.ArithmeticError") == "builtins.ArithmeticError"
    assert f.check("ArithmeticError") is None
    assert Failure(ValueError()).check("builtins.BaseException") == "builtins.BaseException"


def test_s027_base_exceptions_match_by_identity_only():
    assert Failure(ValueError()).check(BaseException) is None
    interrupt = Failure(KeyboardInterrupt())
    assert interrupt.check(KeyboardInterrupt) is KeyboardInterrupt
    assert interrupt.check(BaseException, Exception, "builtins.KeyboardInterrupt") is None
    assert interrupt.parents == [KeyboardInterrupt]


def test_s027_classes_of_the_same_name_match():
    def make() -> type[Exception]:
        class Same(Exception): ...

        return Same

    one, other = make(), make()
    assert one is not other
    assert Failure(one()).check(other) is other


def test_parents_are_the_qualified_names_of_the_classes():
    names = ["builtins.KeyError", "builtins.LookupError", "builtins.Exception", "builtins.BaseException"]
    assert Failure(KeyError()).parents == [*names, "builtins.object"]


@pytest.mark.parametrize("nonsense", [5, None, object, int, "", (ZeroDivisionError,)])
def test_what_is_no_error_class_matches_nothing(nonsense):
    assert caught().check(nonsense) is None


def test_trap_returns_what_matched():
    assert caught().trap(KeyError, ArithmeticError) is ArithmeticError


def test_s028_trap_raises_the_original_with_its_traceback_when_nothing_matches():
    f = caught()
    with pytest.raises(ZeroDivisionError) as raised:
        f.trap(KeyError)
    assert raised.value is f.value
    assert raised.traceback[-1].name == "divide"


def test_raise_exception_adds_one_frame_of_its_own_to_the_original_traceback():
    f = caught()
    try:
        f.raiseException()
    except ZeroDivisionError as error:
        names = [each.name for each in traceback.extract_tb(error.__traceback__)]
    assert names[1:] == ["raiseException", "caught", "divide"]
    assert [name for name, *_ in f.frames] == ["caught", "divide"]


def test_the_exception_can_be_thrown_into_a_generator():
    f = caught()

    def receive() -> Generator[object, None, None]:
        try:
            yield "ready"
        except ZeroDivisionError as error:
            yield error

    generator = receive()
    next(generator)
    assert f.throwExceptionIntoGenerator(generator) is f.value
    generator.close()


def test_a_failure_made_where_it_was_thrown_in_has_both_stacks():
    f = caught()
    f.cleanFailure()
    before = f.getTraceback()
    made = []

    def receive() -> Generator[None, None, None]:
        try:
            yield
        except ZeroDivisionError:
            made.append(Failure())

    generator = receive()
    next(generator)
    with pytest.raises(StopIteration):
        f.throwExceptionIntoGenerator(generator)
    assert "in receive" in made[0].getTraceback()
    assert f.getTraceback() == before


# Text


def test_s088_repr_names_the_class_and_the_exception():
    assert repr(Failure(ValueError("v"))) == f"<{Failure.__module__}.Failure builtins.ValueError: v>"


def test_s088_repr_follows_the_module_that_the_class_is_said_to_be_of(monkeypatch):
    monkeypatch.setattr(Failure, "__module__", "twisted.python.failure")
    assert repr(Failure(ValueError("v"))) == "<twisted.python.failure.Failure builtins.ValueError: v>"


def test_s088_str_is_the_brief_traceback():
    f = caught()
    (_, _, first, *_), (_, _, second, *_) = f.frames
    assert str(f) == (
        "[Failure instance: Traceback: <class 'ZeroDivisionError'>: division by zero\n"
        f"{HERE}:{first}:caught\n{HERE}:{second}:divide\n]"
    )


def test_s088_the_traceback_ends_with_the_exception():
    f = caught()
    (_, _, first, *_), (_, _, second, *_) = f.frames
    assert f.getTraceback() == (
        "Traceback (most recent call last):\n"
        f'  File "{HERE}", line {first}, in caught\n    divide()\n'
        f'  File "{HERE}", line {second}, in divide\n    1 / 0\n'
        "builtins.ZeroDivisionError: division by zero\n"
    )
    assert f.getTraceback(elideFrameworkCode=True) == f.getTraceback()


def test_s088_without_frames_the_body_says_failure():
    f = Failure(ValueError("v"))
    assert f.getTraceback() == "Traceback (most recent call last):\nFailure: builtins.ValueError: v\n"
    assert f.getBriefTraceback() == "Traceback (failure with no frames): <class 'ValueError'>: v\n"
    assert f.getTraceback(detail="verbose") == (
        f"*--- Failure #{f.count} ---\nFailure: builtins.ValueError: v\n*--- End of Failure #{f.count} ---\n"
    )


def test_the_verbose_traceback_says_that_variables_were_not_captured():
    f = caught()
    text = f.getTraceback(detail="verbose")
    assert text.startswith(f"*--- Failure #{f.count} ---\n{HERE}:")
    assert " [Capture of Locals and Globals disabled (use captureVars=True)]\n" in text
    assert text.endswith(f"builtins.ZeroDivisionError: division by zero\n*--- End of Failure #{f.count} ---\n")


def test_the_verbose_traceback_shows_captured_variables():
    f = caught(captureVars=True)
    text = f.getTraceback(detail="verbose")
    assert ": divide(...)\n [ Locals ]\n  numerator : 'one'\n ( Globals )\n" in text
    f.cleanFailure()
    assert f"*--- Failure #{f.count} (pickled) ---\n" in f.getTraceback(detail="verbose")


def test_the_print_methods_write_what_the_get_methods_return(capsys):
    f = caught()
    pairs = [
        (f.printTraceback, f.getTraceback()),
        (f.printBriefTraceback, f.getBriefTraceback()),
        (f.printDetailedTraceback, f.getTraceback(detail="verbose")),
    ]
    for write, text in pairs:
        out = io.StringIO()
        write(out)
        assert out.getvalue() == text
        write()
        assert capsys.readouterr().err == text


@pytest.mark.parametrize("error", [ValueError(), ZeroDivisionError()])
def test_an_unknown_detail_is_refused(error):
    f = caught_from(error)
    with pytest.raises(ValueError, match="'loud'"):
        f.getTraceback(detail="loud")
    with pytest.raises(ValueError, match="'loud'"):
        Failure(error.__class__()).getTraceback(detail="loud")
    with pytest.raises(ValueError, match="'loud'"):
        format_frames(None, None, "loud")


class BrokenText(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


class BrokenMeta(type):
    def __str__(cls) -> str:
        raise RuntimeError("no name")


class BrokenType(Exception, metaclass=BrokenMeta): ...


@pytest.mark.parametrize("detail", ["default", "brief", "verbose"])
@pytest.mark.parametrize("error", [BrokenText, BrokenType])
def test_an_exception_that_cannot_be_printed_does_not_break_the_report(error, detail):
    def fail() -> None:
        value = BrokenText()
        raise error from value

    try:
        fail()
    except error:
        f = Failure(captureVars=True)
    assert "Broken" in f.getTraceback(detail=detail)
    assert "Broken" in repr(f) + str(f)


def test_a_broken_text_says_what_broke():
    f = caught_from(BrokenText())
    assert f.getErrorMessage().startswith("<BrokenText at 0x")
    assert "RuntimeError: no text" in f.getErrorMessage()


def test_the_message_of_a_failure_inside_is_its_own_message():
    f = Failure(ValueError("v"))
    f.value = Failure(KeyError("inside"))
    assert f.getErrorMessage() == "'inside'"
    assert Failure(b"bytes").getErrorMessage() == "bytes"


# Copies and pickles


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_s026_a_pickle_drops_the_traceback_and_keeps_frames_and_parents(protocol):
    f = caught()
    copied = pickle.loads(pickle.dumps(f, protocol))
    assert (copied.tb, copied.pickled) == (None, 1)
    assert (copied.frames, copied.parents) == (f.frames, f.parents)
    assert (copied.type, copied.value.args, copied.count) == (f.type, f.value.args, f.count)
    assert copied.getTraceback() == f.getTraceback()
    assert copied.check(ArithmeticError) is ArithmeticError
    assert f.tb is not None
    assert f.pickled == 0


def test_a_pickle_has_the_text_of_captured_variables_not_the_objects():
    def fail() -> None:
        lock = threading.Lock()  # cannot be pickled
        raise ValueError(repr(lock)[:1])

    try:
        fail()
    except ValueError:
        f = Failure(captureVars=True)
    name, text = next(iter(pickle.loads(pickle.dumps(f)).frames[-1][3]))
    assert name == "lock"
    assert "lock" in text


def test_a_pickle_names_the_class_as_its_module_says(monkeypatch):
    stand_in = types.ModuleType("stand_in_for_twisted")
    stand_in.Failure = Failure
    monkeypatch.setitem(sys.modules, "stand_in_for_twisted", stand_in)
    monkeypatch.setattr(Failure, "__module__", "stand_in_for_twisted")
    data = pickle.dumps(caught())
    assert b"stand_in_for_twisted" in data
    assert b"torsion" not in data.replace(HERE.encode(), b"")
    assert type(pickle.loads(data)) is Failure


class Annotated(Failure):
    note: str


def test_a_subclass_and_its_attributes_survive(monkeypatch):
    # Loaded by file, as pytest does here, this module is not found by its name.
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or types.ModuleType(__name__))
    monkeypatch.setattr(sys.modules[__name__], "Annotated", Annotated, raising=False)
    f = Annotated(ValueError("v"))
    f.note = "n"
    for each in (pickle.loads(pickle.dumps(f)), copy.copy(f)):
        assert type(each) is Annotated
        assert each.note == "n"


def test_the_state_has_the_public_names_and_can_be_given_back():
    f = caught()
    state = f.__getstate__()
    assert state["parents"] == f.parents
    assert state["frames"] == f.frames
    assert (state["stack"], state["tb"], state["pickled"]) == ([], None, 1)
    bare = Failure.__new__(Failure)
    bare.__setstate__(state)
    assert bare.frames == f.frames
    assert bare.getTraceback() == f.getTraceback()


def test_the_state_can_be_made_the_dict():
    f = caught()
    bare = Failure.__new__(Failure)
    bare.__dict__ = f.__getstate__() | {"parents": ["package.Kind"]}
    assert (bare.frames, bare.check(ZeroDivisionError, "package.Kind")) == (f.frames, "package.Kind")
    assert bare.getTracebackObject().tb_frame.f_code.co_filename == __file__


# What is left behind


def use_and_drop() -> None:
    f = caught()
    f.check(ArithmeticError, "builtins.ValueError")
    f.getTraceback(detail="verbose")
    Failure(f)
    copy.copy(f)
    pickle.loads(pickle.dumps(f)).getTracebackObject()
    f.cleanFailure()
    f.getTracebackObject()
    f.trap(ZeroDivisionError)


def test_no_reference_cycle_is_left_behind():
    use_and_drop()
    gc.collect()
    gc.disable()
    try:
        for _ in range(200):
            use_and_drop()
            caught(captureVars=True)
        assert gc.collect() == 0
    finally:
        gc.enable()
