"""What stands around the tabs: the header, and what a toast says."""

from aigc_demo.core.languages import Row

FRAME_WORDS: dict[str, Row] = {
    "title": ("AIGC Demo", "AIGC 演示", "AIGC 示範"),
    "headline": (
        "Generative models written from scratch, side by side with the ones everybody uses.",
        "从零写成的生成模型，与大家常用的模型并排比较。",
        "從零寫成的生成模型，與大家常用的模型並排比較。",
    ),
    "switch_language": ("Language", "语言", "語言"),
    "switch_theme": ("Light or dark", "浅色或深色", "淺色或深色"),
    "more_tabs": ("More tabs", "更多标签页", "更多分頁"),
    "toast_title": ("That did not work", "没有成功", "沒有成功"),
    "unexpected": (
        "Something went wrong on the server; its log says what. Try again, or choose another model.",
        "服务器上出了问题，日志中有详情。请再试一次，或换一个模型。",
        "伺服器上出了問題，日誌中有詳情。請再試一次，或換一個模型。",
    ),
    "call_does_not_fit": (
        "This call does not fit the endpoint: an argument is missing, or is of another type.",
        "这次调用与接口不符：缺少参数，或参数类型不对。",
        "這次呼叫與端點不符：缺少參數，或參數類型不對。",
    ),
}
