import gradio as gr
import gradio.state_holder as holder

from aigc_demo.ui.serving.light_sessions import LightSession, use_light_sessions
from tests.ui.serving.test_slots import built

GRADIOS = LightSession.__base__


def page():
    def make():
        with gr.Blocks() as made:
            made.text = gr.Textbox("first")
            made.kept = gr.State([1])
            made.short = gr.State(0, time_to_live=0.0)
        return made

    return built(make)


def test_a_session_keeps_its_own_values_and_copies_no_configuration():
    made = page()
    mine, other = LightSession(made), LightSession(made)
    assert mine[made.kept._id] == [1]
    mine[made.kept._id].append(2)
    mine[made.text._id] = changed = gr.Textbox("second", render=False)
    mine._update_value_in_config(made.text._id, "second")
    assert mine[made.kept._id] == [1, 2] and other[made.kept._id] == [1]
    assert mine[made.text._id] is changed and other[made.text._id] is made.text
    assert list(mine.components) == []


def test_a_state_with_an_end_is_known_to_have_one():
    made = page()
    mine = LightSession(made)
    mine[made.short._id] = 5
    assert [(value, expired) for _, value, expired in mine.state_components] == [(5, True)]


def test_gradio_makes_them(monkeypatch):
    monkeypatch.setattr(holder, "SessionState", holder.SessionState)
    use_light_sessions()
    sessions = holder.StateHolder()
    made = page()
    made.state_session_capacity = 10
    sessions.set_blocks(made)
    assert isinstance(sessions["new"], LightSession)


def test_it_has_every_part_that_gradios_own_has():
    made = page()
    assert set(vars(GRADIOS(made))) == set(vars(LightSession(made)))
