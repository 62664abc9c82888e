"""The words of the tab Text to image."""

from aigc_demo.core.languages import Row

TEXT_TO_IMAGE_WORDS: dict[str, Row] = {
    "tab_text_to_image": ("🖼️ Text to image", "🖼️ 文生图", "🖼️ 文生圖"),
    "t2i_intro": (
        "Describe a picture, in English or Chinese. Each model generates several candidates; a dual encoder "
        "ranks them, and an independent attribute reader (the checker) says what they show.",
        "用中文或英文描述一张图。每个模型生成若干候选；双编码器给它们排序，再由独立的属性识别器（检查器）说出图上有什么。",
        "用中文或英文描述一張圖。每個模型生成若干候選；雙編碼器給它們排序，再由獨立的屬性辨識器（檢查器）說出圖上有什麼。",
    ),
    "t2i_no_models": (
        "There is no model here yet that generates pictures from captions. Train one in the tab Train (recipe "
        "text2image).",
        "这里还没有文生图模型。请在“训练”页训练一个（配方 text2image）。",
        "這裡還沒有文生圖模型。請在「訓練」頁訓練一個（配方 text2image）。",
    ),
    "caption": ("Caption", "描述", "描述"),
    "caption_placeholder": (
        "a small red ball left of a big blue box",
        "一个红色的小球在一个蓝色的大方块的左边",
        "一個紅色的小球在一個藍色的大方塊的左邊",
    ),
    "caption_words": ("The words of the caption", "描述中的词", "描述中的詞"),
    "caption_whole": (
        "Understood as a whole: it describes {count} things.",
        "整句可以理解：描述了 {count} 个物体。",
        "整句可以理解：描述了 {count} 個物體。",
    ),
    "caption_partly": (
        "Every word is known, but not what they say together; there is nothing to check then.",
        "每个词都认识，但连起来不成一个可检查的描述。",
        "每個詞都認識，但連起來不成一個可檢查的描述。",
    ),
    "caption_unknown": (
        "Known neither to the tiny world nor to a model below: {words}",
        "小世界和下面的模型都不认识：{words}",
        "小世界和下面的模型都不認識：{words}",
    ),
    "part_colour": ("colour", "颜色", "顏色"),
    "part_kind": ("kind", "形状", "形狀"),
    "part_size": ("size", "大小", "大小"),
    "part_relation": ("place", "方位", "方位"),
    "part_weather": ("weather", "天气", "天氣"),
    "caption_learned": (
        "Not of the tiny world, but learned by a model below, so there is nothing to check: {words}",
        "不属于小世界，但下面有模型学过，因此无可检查：{words}",
        "不屬於小世界，但下面有模型學過，因此無可檢查：{words}",
    ),
    "part_learned": ("learned", "学过", "學過"),
    "part_unknown": ("unknown", "不认识", "不認識"),
    "caption_examples": ("Try one", "试试这些", "試試這些"),
    "num_candidates": ("Candidates", "候选数", "候選數"),
    "num_candidates_info": (
        "pictures of which the best is chosen",
        "从这么多张里选最好的",
        "從這麼多張裡選最好的",
    ),
    "guidance_scale": ("Guidance (diffusion)", "引导强度（扩散）", "引導強度（擴散）"),
    "guidance_scale_info": (
        "classifier-free; 1: none; higher follows the caption more",
        "无分类器引导；1：不引导；越大越遵循描述",
        "無分類器引導；1：不引導；越大越遵循描述",
    ),
    "scheduler": ("Scheduler (diffusion)", "调度器（扩散）", "調度器（擴散）"),
    "scheduler_info": ("the sampler: how noise is removed", "采样器：去噪的方法", "取樣器：去噪的方法"),
    "t2i_draw": ("Draw", "画图", "畫圖"),
    "t2i_empty": (
        "Press Draw, and the candidates appear here, the best one first. Click one to work on it below.",
        "按“画图”，候选就出现在这里，最好的在前。点击一张，可在下方继续处理。",
        "按「畫圖」，候選就出現在這裡，最好的在前。點擊一張，可在下方繼續處理。",
    ),
    "t2i_candidate": (
        "{verdict}fits {score}, other {other}",
        "{verdict}相符 {score}，另一句 {other}",
        "{verdict}相符 {score}，另一句 {other}",
    ),
    "t2i_candidate_plain": ("{verdict}seed {seed}", "{verdict}种子 {seed}", "{verdict}種子 {seed}"),
    "t2i_note": (
        "“fits” is the cosine similarity of picture and caption; “other” is that of the same picture and: {other}",
        "“相符”是图片与描述的余弦相似度；“另一句”是同一张图片与下面这句的余弦相似度：{other}",
        "「相符」是圖片與描述的餘弦相似度；「另一句」是同一張圖片與下面這句的餘弦相似度：{other}",
    ),
    "t2i_best": ("The best candidate, checked", "最佳候选的检查结果", "最佳候選的檢查結果"),
    "t2i_right_count": (
        "{right} of {count} candidates are right in everything",
        "{count} 个候选中有 {right} 个全对",
        "{count} 個候選中有 {right} 個全對",
    ),
    "t2i_not_applicable": (
        "not applicable: this picture is not of the tiny world",
        "不适用：这张图片不属于小世界",
        "不適用：這張圖片不屬於小世界",
    ),
    "t2i_nothing_to_check": (
        "nothing to check: the caption is not one of the tiny world's",
        "无可检查：这不是小世界的描述",
        "無可檢查：這不是小世界的描述",
    ),
    "t2i_ground": ("ground", "背景", "背景"),
    "t2i_more": ("too much", "多余", "多餘"),
    "t2i_more_value": ("{count} other things", "还有 {count} 个别的物体", "還有 {count} 個別的物體"),
    "t2i_missing": ("missing", "没有画出", "沒有畫出"),
    "t2i_right": ("right", "正确", "正確"),
    "t2i_wrong": ("wrong", "不对", "不對"),
    "t2i_all_right": ("everything right", "全部正确", "全部正確"),
    # postprocessing
    "postprocess": ("Postprocessing", "后处理", "後處理"),
    "postprocess_intro": (
        "Postprocessing of the chosen candidate, step by step, before and after. Click a candidate "
        "above to choose it.",
        "对选定的候选逐步做后处理，给出前后对比。点击上方的一张候选来选定它。",
        "對選定的候選逐步做後處理，給出前後對比。點擊上方的一張候選來選定它。",
    ),
    "denoise": ("Denoise (3 × 3 median filter)", "去噪（3×3 中值滤波）", "去噪（3×3 中值濾波）"),
    "colorize": ("Colorize from grey (a network)", "由灰度上色（网络）", "由灰階上色（網路）"),
    "enlarge": ("Enlarge (Lanczos)", "放大（Lanczos）", "放大（Lanczos）"),
    "postprocess_apply": ("Apply", "处理", "處理"),
    "postprocess_empty": (
        "Choose steps and press Apply.",
        "选好步骤，按“处理”。",
        "選好步驟，按「處理」。",
    ),
    "step_made": ("as generated", "生成的原图", "生成的原圖"),
    "step_grey": ("grey", "灰度", "灰度"),
    "step_denoise": ("denoised", "去噪后", "去噪後"),
    "step_colorize": ("colorized", "上色后", "上色後"),
    "step_enlarge": ("enlarged", "放大后", "放大後"),
    "step_hole": ("painted over", "涂掉的部分", "塗掉的部分"),
    "step_repaired": ("restored", "修复后", "修復後"),
    "repair": ("Inpainting: restore a region", "图像修复：重绘局部", "影像修復：重繪局部"),
    "repair_intro": (
        "Paint over a part of the chosen candidate on the left (or move with the arrow keys and paint with "
        "the space bar); a network restores that part from what surrounds it.",
        "在左侧选定的候选上涂掉一部分（也可用方向键移动、空格键涂抹）；网络会依据周围内容重画这一部分。",
        "在左側選定的候選上塗掉一部分（也可用方向鍵移動、空白鍵塗抹）；網路會依據周圍內容重畫這一部分。",
    ),
    "repair_take": ("Use the chosen candidate", "使用选定的候选", "使用選定的候選"),
    "repair_apply": ("Restore", "修复", "修復"),
    "repair_canvas": ("Picture to paint over", "可涂抹的图片", "可塗抹的圖片"),
    "repair_clear": ("Clear", "清除", "清除"),
    "repair_empty": (
        "Draw something first, then use the chosen candidate.",
        "请先画图，再使用选定的候选。",
        "請先畫圖，再使用選定的候選。",
    ),
    "repair_none": ("Before and after appear here.", "修复前后会出现在这里。", "修復前後會出現在這裡。"),
    # word by word
    "word_by_word": ("Ablation, word by word", "逐词消融", "逐詞消融"),
    "word_by_word_intro": (
        "The same seed without one of the words: which word changes what? Click a word of the caption above "
        "to put each other word of its kind in its place.",
        "同一颗种子，去掉一个词：哪个词改变了什么？点击上方描述中的一个词，可用同类的其他词逐一替换它。",
        "同一顆種子，去掉一個詞：哪個詞改變了什麼？點擊上方描述中的一個詞，可用同類的其他詞逐一替換它。",
    ),
    "leave_out": ("Leave out each word", "逐词去掉", "逐詞去掉"),
    "word_by_word_empty": (
        "Press the button, or click a word of the caption.",
        "按上面的按钮，或点击描述中的一个词。",
        "按上面的按鈕，或點擊描述中的一個詞。",
    ),
    "word_whole": ("whole caption", "完整描述", "完整描述"),
    "word_changed": (
        "{word}: changes {difference:.0f} grey levels",
        "{word}：改变 {difference:.0f} 灰度级",
        "{word}：改變 {difference:.0f} 灰階",
    ),
    # where the words went
    "words_went": (
        "Cross-attention: where the words went",
        "交叉注意力：词用在了哪里",
        "交叉注意力：詞用在了哪裡",
    ),
    "words_went_intro": (
        "In our generator each of 8 × 8 positions attends to the words of the caption. Bright: a large attention weight of this position for this word. One row per cross-attention layer.",
        "在我们的生成器中，8×8 个位置各自对描述中的词做注意力。越亮：这个位置对这个词的注意力权重越大。每个交叉注意力层为一行。",
        "在我們的生成器中，8×8 個位置各自對描述中的詞做注意力。越亮：這個位置對這個詞的注意力權重越大。每個交叉注意力層為一列。",
    ),
    "words_went_show": ("Show", "显示", "顯示"),
    "words_went_empty": (
        "Only our generator gives its attention weights; choose it on the left and press Show.",
        "只有我们的生成器给出注意力权重；请在左侧选它，再按“显示”。",
        "只有我們的生成器給出注意力權重；請在左側選它，再按「顯示」。",
    ),
    "words_went_caption": ("{word}, layer {block}", "{word}，第 {block} 层", "{word}，第 {block} 層"),
    "words_went_all": ("whole caption, layer {block}", "整句，第 {block} 层", "整句，第 {block} 層"),
    # matching
    "matching": (
        "Image-text matching: which caption fits which picture?",
        "图文匹配：哪句描述配哪张图？",
        "圖文匹配：哪句描述配哪張圖？",
    ),
    "matching_intro": (
        "Captions, one to a line; our model draws each, and the dual encoder compares all with all. In each "
        "row the picture of that caption should score highest.",
        "每行一句描述；模型为每句画一张，双编码器把所有句子与所有图片两两比较。每一行里，该句自己的图片得分应最高。",
        "每行一句描述；模型為每句畫一張，雙編碼器把所有句子與所有圖片兩兩比較。每一行裡，該句自己的圖片得分應最高。",
    ),
    "matching_captions": ("Captions", "描述", "描述"),
    "matching_show": ("Compare", "比较", "比較"),
    "matching_empty": (
        "Press Compare, and the table appears here.",
        "按“比较”，表格就出现在这里。",
        "按「比較」，表格就出現在這裡。",
    ),
    "matching_right": (
        "{right} of {count} captions retrieve their own picture.",
        "{count} 句中有 {right} 句找到了自己的图片。",
        "{count} 句中有 {right} 句找到了自己的圖片。",
    ),
    # searching
    "searching": ("Retrieval, search both ways", "检索：双向查找", "檢索：雙向查找"),
    "searching_intro": (
        "A hundred pictures of combinations held out from training, and their captions. Type a text to find "
        "pictures; click a picture to find captions.",
        "一百张图片及其描述，内容是训练中没有出现过的组合。输入文字找图；点击一张图找描述。",
        "一百張圖片及其描述，內容是訓練中沒有出現過的組合。輸入文字找圖；點擊一張圖找描述。",
    ),
    "searching_text": ("Text", "文字", "文字"),
    "searching_find": ("Find pictures", "找图", "找圖"),
    "searching_empty": (
        "Press Find pictures, and the nearest of the hundred appear here.",
        "按“找图”，一百张中最接近的就出现在这里。",
        "按「找圖」，一百張中最接近的就出現在這裡。",
    ),
    "searching_texts": (
        "Captions nearest to the picture that you click",
        "与所点击的图最接近的描述",
        "與所點擊的圖最接近的描述",
    ),
}
