"""The words of the tab Text where it fills in, judges and answers."""

from aigc_demo.core.languages import Row

PREDICTION_WORDS: dict[str, Row] = {
    "text_views": ("What the models do", "模型做什么", "模型做什麼"),
    "text_view_continue": ("Continue", "续写", "續寫"),
    "text_view_fill": ("Fill in", "填词", "填詞"),
    "text_view_follow": ("Does it follow?", "接得上吗？", "接得上嗎？"),
    "text_view_answer": ("Answer", "回答", "回答"),
    # how a column stands
    "prediction_waiting": ("waiting", "等待", "等待"),
    "prediction_running": ("computing", "正在计算", "正在計算"),
    "prediction_finished": (
        "finished in {milliseconds:,.0f} ms",
        "已完成，{milliseconds:,.0f} 毫秒",
        "已完成，{milliseconds:,.0f} 毫秒",
    ),
    "prediction_stopped": ("stopped", "已停止", "已停止"),
    "prediction_failed": ("failed", "失败", "失敗"),
    # masked words
    "view_fill_intro": (
        "An encoder reads the whole text at once, to the left and to the right of a mask, and predicts the masked word: the task that BERT is pretrained on. A guess among all words of the vocabulary is hardly ever right.",
        "编码器同时看到遮盖处左右的全部文字，预测被遮住的词：这正是 BERT 预训练的任务。在整个词表里乱猜，几乎不会猜对。",
        "編碼器同時看到遮蓋處左右的全部文字，預測被遮住的詞：這正是 BERT 預訓練的任務。在整個詞表裡亂猜，幾乎不會猜對。",
    ),
    "fill_text": ("Text", "文字", "文字"),
    "fill_predict": ("Predict the masked words", "预测被遮住的词", "預測被遮住的詞"),
    "masking_name": ("Words of the text, each can be masked", "文字中的词，均可遮住", "文字中的詞，均可遮住"),
    "masking_hint": (
        "Click a word to mask it, click again to show it; at most 8 are predicted at once.",
        "点击一个词将它遮住，再点一次恢复；一次最多预测 8 处。",
        "點擊一個詞將它遮住，再點一次恢復；一次最多預測 8 處。",
    ),
    "masking_empty": (
        "Write a text above, and its words can be masked here.",
        "在上面写一段文字，便可在此遮住其中的词。",
        "在上面寫一段文字，便可在此遮住其中的詞。",
    ),
    "fill_empty": (
        "Mask a word and press Predict: the candidates appear here with their probabilities.",
        "遮住一个词，再按“预测”：候选词及其概率会出现在这里。",
        "遮住一個詞，再按「預測」：候選詞及其機率會出現在這裡。",
    ),
    "fill_right": (
        "{right} of {count} right",
        "{count} 处中猜对 {right} 处",
        "{count} 處中猜對 {right} 處",
    ),
    "guess_right": ("right", "正确", "正確"),
    "guess_title": ("Mask {number}", "第 {number} 处", "第 {number} 處"),
    "guess_title_hidden": (
        "Mask {number}, where “{word}” stands",
        "第 {number} 处，原为“{word}”",
        "第 {number} 處，原為「{word}」",
    ),
    "guess_missed": (
        "“{word}” is not among the first {count}.",
        "“{word}”不在前 {count} 个候选之中。",
        "「{word}」不在前 {count} 個候選之中。",
    ),
    # next sentence
    "view_follow_intro": (
        "BERT's second pretraining task: can the second text follow the first? Half of the pairs in training are right, so a guess is right in 50 % of cases.",
        "BERT 预训练的第二个任务：第二段能接在第一段之后吗？训练时一半是对的，所以乱猜的正确率是 50 %。",
        "BERT 預訓練的第二個任務：第二段能接在第一段之後嗎？訓練時一半是對的，所以亂猜的正確率是 50 %。",
    ),
    "follow_first": ("First text", "第一段", "第一段"),
    "follow_second": ("Second text", "第二段", "第二段"),
    "follow_swap": ("⇄ Swap the two", "⇄ 交换两段", "⇄ 交換兩段"),
    "follow_predict": ("Does it follow?", "接得上吗？", "接得上嗎？"),
    "follow_empty": (
        "Press the button: each model's probability appears here.",
        "按下按钮：各模型给出的概率会出现在这里。",
        "按下按鈕：各模型給出的機率會出現在這裡。",
    ),
    "follow_yes": ("It follows", "接得上", "接得上"),
    "follow_no": ("It does not follow", "接不上", "接不上"),
    "follow_unsure": ("Undecided, close to a guess", "难以判断，近于乱猜", "難以判斷，近於亂猜"),
    "follow_bar": ("follows", "接得上", "接得上"),
    "follow_not_bar": ("does not follow", "接不上", "接不上"),
    # answers
    "view_answer_intro": (
        "An encoder reads the source, a decoder writes the answer and looks back at the source by cross-attention. Compare one that started from a pretrained BERT with one that started from random weights.",
        "编码器读原文，解码器写回答，并通过交叉注意力回看原文。可比较从预训练 BERT 开始的模型与从随机权重开始的模型。",
        "編碼器讀原文，解碼器寫回答，並透過交叉注意力回看原文。可比較從預訓練 BERT 開始的模型與從隨機權重開始的模型。",
    ),
    "answer_question": (
        "First line of a couplet, or a question about the story",
        "对句的上句，或关于故事的问题",
        "對句的上句，或關於故事的問題",
    ),
    "answer_story": (
        "Story (leave it empty for a couplet)",
        "故事（对句请留空）",
        "故事（對句請留空）",
    ),
    "answer_new_story": (
        "🎲 A new story with a question",
        "🎲 换一个故事和问题",
        "🎲 換一個故事和問題",
    ),
    "answer_predict": ("Answer", "回答", "回答"),
    "answer_empty": (
        "Press Answer: the answer appears here, with what the model looked at in the source.",
        "按“回答”：答案会出现在这里，并显示模型看了原文的哪些地方。",
        "按「回答」：答案會出現在這裡，並顯示模型看了原文的哪些地方。",
    ),
    "answer_right": ("Right", "正确", "正確"),
    "answer_wrong": ("The right answer: {expected}", "正确答案：{expected}", "正確答案：{expected}"),
    "looked_layer": ("Layer", "层", "層"),
    "looked_head": ("Head", "头", "頭"),
    "looked_mean": ("mean", "平均", "平均"),
    "looked_answer": ("Tokens of the answer", "回答的词元", "回答的詞元"),
    "looked_source": (
        "Tokens of the source, coloured by cross-attention",
        "原文的词元，按交叉注意力着色",
        "原文的詞元，按交叉注意力著色",
    ),
    "looked_hint": (
        "Click a token of the answer: the source is coloured by what the model looked at when it wrote it.",
        "点击回答中的一个词元：原文会按模型写它时所看之处着色。",
        "點擊回答中的一個詞元：原文會按模型寫它時所看之處著色。",
    ),
}
