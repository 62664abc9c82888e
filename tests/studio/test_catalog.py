from aigc_demo.generators import catalog
from aigc_demo.studio.arguments import checked_model
from aigc_demo.studio.catalog import text_choices

ENTRY = catalog.CatalogEntry("gpt-tang", "ours", "text", "gpt", "nowhere", architecture="gpt")


def test_a_model_that_is_published_later_can_be_chosen(monkeypatch):
    monkeypatch.setattr(catalog, "CATALOG", {entry.name: entry for entry in catalog.PRETRAINED})
    monkeypatch.setattr(catalog, "shipped", lambda assets=None, known=(): [ENTRY])
    assert checked_model("gpt-tang") == "gpt-tang"
    names = [choice.value for choice in text_choices()]
    assert names[0] == "gpt-tang"
    assert names[1:3] == ["distilgpt2", "distilgpt2@ours"]
