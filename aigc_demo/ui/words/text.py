"""The words of the tab Text."""

from aigc_demo.core.languages import Row

TEXT_WORDS: dict[str, Row] = {
    "tab_text": ("✍️ Text", "✍️ 文本", "✍️ 文字"),
    # asking
    "text_intro": (
        "One prompt, one seed, one stream of random numbers: where the two texts differ, the models differ.",
        "同一个提示、同一个种子、同一串随机数：两段文字不同之处，正是两个模型不同之处。",
        "同一個提示、同一個種子、同一串亂數：兩段文字不同之處，正是兩個模型不同之處。",
    ),
    "prompt": ("Prompt", "提示", "提示"),
    "prompt_placeholder": (
        "How the text begins. Leave it empty to start from nothing.",
        "文字的开头。留空则从头开始。",
        "文字的開頭。留空則從頭開始。",
    ),
    "continue": ("Continue", "继续写", "繼續寫"),
    "temperature": ("Temperature", "温度", "溫度"),
    "temperature_info": (
        "0 always takes the likeliest token; higher is bolder",
        "0 总取最可能的词元；越高越大胆",
        "0 總取最可能的詞元；越高越大膽",
    ),
    "top_k": ("Top-k", "Top-k", "Top-k"),
    "top_k_info": (
        "Keep only the k likeliest; 0 keeps all",
        "只留最可能的 k 个；0 为全部保留",
        "只留最可能的 k 個；0 為全部保留",
    ),
    "top_p": ("Top-p", "Top-p", "Top-p"),
    "top_p_info": (
        "Keep the likeliest until their probabilities reach p",
        "从最可能的开始保留，直到概率之和达到 p",
        "從最可能的開始保留，直到機率之和達到 p",
    ),
    "min_p": ("Min-p", "Min-p", "Min-p"),
    "min_p_info": (
        "Keep those at least this share as likely as the likeliest",
        "只留概率不低于最可能者此比例的词元",
        "只留機率不低於最可能者此比例的詞元",
    ),
    "num_beams": ("Beams", "束宽", "束寬"),
    "num_beams_info": (
        "Above 1: beam search for the likeliest text instead of sampling",
        "大于 1 时改用束搜索，找最可能的文字，而不是采样",
        "大於 1 時改用束搜尋，找最可能的文字，而不是取樣",
    ),
    "repetition_penalty": ("Repetition penalty", "重复惩罚", "重複懲罰"),
    "repetition_penalty_info": (
        "1 is none; higher avoids tokens already used",
        "1 为不惩罚；越高越避开用过的词元",
        "1 為不懲罰；越高越避開用過的詞元",
    ),
    "max_new_tokens": ("Length", "长度", "長度"),
    "max_new_tokens_info": ("Most tokens to generate", "最多生成多少个词元", "最多生成多少個詞元"),
    "stop_at": ("Stop at", "遇到即停", "遇到即停"),
    "stop_at_info": (
        "The text ends before this; \\n stands for a line break",
        "写到这里之前结束；\\n 表示换行",
        "寫到這裡之前結束；\\n 表示換行",
    ),
    # columns
    "view": ("Show", "显示", "顯示"),
    "view_text": ("Text", "文字", "文字"),
    "view_surprise": ("Surprisal", "惊异值", "驚異值"),
    "view_ids": ("Token ids", "词元编号", "詞元編號"),
    "legend": ("Surprisal", "惊异值", "驚異值"),
    "legend_low": ("0 bits: expected", "0 比特：意料之中", "0 位元：意料之中"),
    "legend_high": ("8 bits: surprising", "8 比特：出乎意料", "8 位元：出乎意料"),
    "strip": ("Generated text, token by token", "生成的文字，逐个词元", "生成的文字，逐個詞元"),
    "newline": ("line break", "换行", "換行"),
    "strip_empty": (
        "Press Generate, and the text appears here. Click any of its tokens to see what else it could have been.",
        "按“生成”，文字就出现在这里。点击其中任一词元，可看到它本来还可能是什么。",
        "按「生成」，文字就出現在這裡。點擊其中任一詞元，可看到它本來還可能是什麼。",
    ),
    # alternatives
    "alternatives": ("What else could stand here", "这里还可能是什么", "這裡還可能是什麼"),
    "alternatives_hint": (
        "Choose one, and the text goes on from there.",
        "选一个，文字就从那里写下去。",
        "選一個，文字就從那裡寫下去。",
    ),
    "alternatives_before": ("model's probability", "模型的概率", "模型的機率"),
    "alternatives_after": ("with the settings", "经设置之后", "經設定之後"),
    "alternatives_token": ("token", "词元", "詞元"),
    "alternatives_written": ("written", "已写", "已寫"),
    "alternatives_close": ("Close", "关闭", "關閉"),
    # surprise, attention
    "surprise": (
        "🎯 Bits per byte: how surprised are they?",
        "🎯 每字节比特数：它们有多惊讶？",
        "🎯 每位元組位元數：它們有多驚訝？",
    ),
    "surprise_intro": (
        "Paste a text: each model reads it and gives the surprisal of each character, -log2 of its probability. Fewer bits per byte is better, and unlike perplexity it compares models with different tokenizers.",
        "粘贴一段文字：每个模型读一遍，给出每个字的惊异值，即概率的 -log2。每字节比特数越少越好；与困惑度不同，它可以比较分词器不同的模型。",
        "貼上一段文字：每個模型讀一遍，給出每個字的驚異值，即機率的 -log2。每位元組位元數越少越好；與困惑度不同，它可以比較分詞器不同的模型。",
    ),
    "score_text": ("Text to measure", "要测量的文字", "要測量的文字"),
    "score": ("Measure both", "测量两者", "測量兩者"),
    "score_strip": (
        "The pasted text, coloured by surprisal",
        "粘贴的文字，按惊异值着色",
        "貼上的文字，按驚異值著色",
    ),
    "score_empty": ("Not measured yet.", "尚未测量。", "尚未測量。"),
    "score_bits": (
        "{bits:.3f} bits per byte ({num_bytes} bytes, {num_tokens} tokens)",
        "每字节 {bits:.3f} 比特（{num_bytes} 字节，{num_tokens} 个词元）",
        "每位元組 {bits:.3f} 位元（{num_bytes} 位元組，{num_tokens} 個詞元）",
    ),
    "attention": ("🔍 Attention: where does it look?", "🔍 注意力：它在看哪里？", "🔍 注意力：它在看哪裡？"),
    "attention_intro": (
        "Attention weights: each row is one token that attends to the tokens before it; the brighter, the larger the weight.",
        "注意力权重：每一行是一个词元对它前面各词元的注意力；越亮，权重越大。",
        "注意力權重：每一列是一個詞元對它前面各詞元的注意力；越亮，權重越大。",
    ),
    "attention_show": (
        "Show the attention of the text above",
        "显示上面文字的注意力",
        "顯示上面文字的注意力",
    ),
    "attention_layer": ("Layer", "层", "層"),
    "attention_head": ("Head", "头", "頭"),
    "attention_map": ("Attention map", "注意力图", "注意力圖"),
    "attention_empty": (
        "Generate a text first, then show its attention.",
        "先生成一段文字，再显示它的注意力。",
        "先生成一段文字，再顯示它的注意力。",
    ),
    "attention_hover": (
        "Point at the map to read a weight.",
        "把指针放在图上可读出权重。",
        "把指標放在圖上可讀出權重。",
    ),
}
