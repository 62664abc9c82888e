"""What stands in the marker {expected} of a sentence: short phrases, written in English where an error is raised.

Phrases without a row here stay in English.
"""

# A regular expression of the English phrase, and its Chinese; {0}, {1}: the groups of the expression.
EXPECTED: tuple[tuple[str, str, str], ...] = (
    # what a kind of model does (generators/kinds)
    (r"generates text", "生成文本", "生成文字"),
    (r"predicts masked words", "预测被遮盖的词", "預測被遮蓋的詞"),
    (r"answers a text", "回答一段文本", "回答一段文字"),
    (r"generates images", "生成图片", "生成圖片"),
    (r"generates images from captions", "由描述生成图片", "由描述生成圖片"),
    (r"extracts features of images", "提取图片特征", "擷取圖片特徵"),
    (r"matches texts and images", "匹配文本与图片", "匹配文字與圖片"),
    (r"recognizes what images show", "识别图片内容", "辨識圖片內容"),
    (r"restores images", "修复图片", "修復圖片"),
    (r"decodes latents into images", "将潜向量解码为图片", "將潛向量解碼為圖片"),
    # values of settings
    (r"a list", "列表", "列表"),
    (r"a list of token ids", "词元编号的列表", "詞元編號的列表"),
    (r"a list of 1 to (\d+) seeds", "含 1 到 {0} 个种子的列表", "含 1 到 {0} 個種子的列表"),
    (r"a list of 1 to (\d+) PNG pictures", "含 1 到 {0} 张 PNG 图片的列表", "含 1 到 {0} 張 PNG 圖片的列表"),
    (r"a list of 1 to (\d+) models", "含 1 到 {0} 个模型的列表", "含 1 到 {0} 個模型的列表"),
    (
        r"a list of (\d+), one for each model",
        "含 {0} 项的列表，每个模型一项",
        "含 {0} 項的列表，每個模型一項",
    ),
    (r"a list of 1 to (\d+) runs", "含 1 到 {0} 次训练的列表", "含 1 到 {0} 次訓練的列表"),
    (r"true or false", "“是”或“否”（true 或 false）", "「是」或「否」（true 或 false）"),
    (r"a number", "一个数", "一個數"),
    (r"a whole number", "整数", "整數"),
    (r"a whole number from (\d+) to (\d+)", "{0} 到 {1} 的整数", "{0} 到 {1} 的整數"),
    (r"text", "文本", "文字"),
    (r"pictures", "图片", "圖片"),
    (r"a list of some of (.*)", "以下若干项的列表：{0}", "以下若干項的列表：{0}"),
    (r"one of (.*)", "是以下之一：{0}", "是以下之一：{0}"),
    (r"at least ([^ ]*)", "不小于 {0}", "不小於 {0}"),
    (r"at most ([^ ]*)", "不大于 {0}", "不大於 {0}"),
    (r"at most (\d+) long", "至多 {0} 个长", "至多 {0} 個長"),
    (
        r"at most (\d+) texts of (\d+) to (\d+) characters",
        "至多 {0} 段、每段 {1} 到 {2} 个字符",
        "至多 {0} 段、每段 {1} 到 {2} 個字元",
    ),
    (r"more than ([^ ]*)", "大于 {0}", "大於 {0}"),
    (r"from (\d+) to (\d+)", "在 {0} 到 {1} 之间", "在 {0} 到 {1} 之間"),
)
