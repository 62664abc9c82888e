"""The words of the tab Text where several decoders continue one prompt."""

from aigc_demo.core.languages import Row

FORK_WORDS: dict[str, Row] = {
    "text_view_fork": ("Decoders", "解码方法", "解碼方法"),
    "view_fork_intro": (
        "One model, one prompt, the same random numbers, and six ways to choose the next token. Their texts are the same up to a fork; there the table shows what each method kept and why it took what it took.",
        "同一个模型、同一段开头、同一串随机数，六种选下一个词元的方法。在分岔之前文字相同；在分岔处，表格显示每种方法留下了什么，为什么选了它所选的。",
        "同一個模型、同一段開頭、同一串隨機數，六種選下一個詞元的方法。在分岔之前文字相同；在分岔處，表格顯示每種方法留下了什麼，為什麼選了它所選的。",
    ),
    "fork_model": ("Model", "模型", "模型"),
    "fork_predict": ("Decode with all methods", "用所有方法解码", "用所有方法解碼"),
    "fork_empty": (
        "Press the button: the texts of all methods appear here, and below them the places where they part.",
        "按下按钮：各种方法写出的文字会出现在这里，下面是它们分岔之处。",
        "按下按鈕：各種方法寫出的文字會出現在這裡，下面是它們分岔之處。",
    ),
    "fork_none": (
        "All texts are the same to the end; raise the temperature, or take another seed.",
        "所有文字直到末尾都相同；可提高温度，或换一个种子。",
        "所有文字直到末尾都相同；可提高溫度，或換一個種子。",
    ),
    # decoders
    "decoder_greedy": ("Greedy", "贪心", "貪婪"),
    "decoder_temperature": ("Temperature {value:g}", "温度 {value:g}", "溫度 {value:g}"),
    "decoder_top_k": ("Top-k {value}", "Top-k {value}", "Top-k {value}"),
    "decoder_top_p": ("Top-p {value:g}", "Top-p {value:g}", "Top-p {value:g}"),
    "decoder_min_p": ("Min-p {value:g}", "Min-p {value:g}", "Min-p {value:g}"),
    "decoder_beam": ("Beam search, {value} beams", "束搜索，束宽 {value}", "束搜尋，束寬 {value}"),
    # the table at a fork
    "fork_choose": ("Forks", "分岔", "分岔"),
    "fork_title": (
        "Fork {number}, after {position} shared tokens",
        "第 {number} 个分岔，共有 {position} 个相同的词元之后",
        "第 {number} 個分岔，共有 {position} 個相同的詞元之後",
    ),
    "fork_token": ("Candidate", "候选", "候選"),
    "fork_prob": ("Model", "模型", "模型"),
    "fork_noise": ("Noise", "噪声", "雜訊"),
    "fork_taken": ("taken", "选中", "選中"),
    "fork_dropped": ("dropped", "舍去", "捨去"),
    "fork_hint": (
        "The token drawn is the one with the largest log-probability plus noise among those kept. The noise of a token is the same for all methods, so only the filters make them differ.",
        "抽中的是留下的词元里“对数概率加噪声”最大的一个。每个词元的噪声对所有方法都相同，因此差别只来自各自的筛选。",
        "抽中的是留下的詞元裡「對數機率加雜訊」最大的一個。每個詞元的雜訊對所有方法都相同，因此差別只來自各自的篩選。",
    ),
    "why_greedy": (
        "takes the likeliest: “{token}”.",
        "取最可能的“{token}”。",
        "取最可能的「{token}」。",
    ),
    "why_drawn": (
        "keeps {kept:,} of {size:,} tokens and draws “{token}” from them.",
        "在 {size:,} 个词元中留下 {kept:,} 个，从中抽到“{token}”。",
        "在 {size:,} 個詞元中留下 {kept:,} 個，從中抽到「{token}」。",
    ),
    "why_other": (
        "keeps {kept:,} of {size:,} tokens; “{other}”, which wins without a filter, is not among them, so it is “{token}”.",
        "在 {size:,} 个词元中留下 {kept:,} 个；不筛选时胜出的“{other}”不在其中，于是是“{token}”。",
        "在 {size:,} 個詞元中留下 {kept:,} 個；不篩選時勝出的「{other}」不在其中，於是是「{token}」。",
    ),
    "why_beam": (
        "weighs whole texts: with “{token}” its own has {mean} nats a token.",
        "比较整段文字：选“{token}”后，它的整段平均每词元 {mean} 奈特。",
        "比較整段文字：選「{token}」後，它的整段平均每詞元 {mean} 奈特。",
    ),
    "why_beam_greedy": (
        "weighs whole texts: with “{token}” its own has {mean} nats a token, greedy's has {greedy}.",
        "比较整段文字：选“{token}”后，它的整段平均每词元 {mean} 奈特，贪心的是 {greedy}。",
        "比較整段文字：選「{token}」後，它的整段平均每詞元 {mean} 奈特，貪婪的是 {greedy}。",
    ),
}
