"""The words of what the tab GAN does with the noise: interpolation, latent arithmetic, style mixing."""

from aigc_demo.core.languages import Row

LATENT_SPACE_WORDS: dict[str, Row] = {
    "interpolation": (
        "Interpolation, from one picture to another",
        "插值：从一张图片到另一张",
        "內插：從一張圖片到另一張",
    ),
    "interpolation_intro": (
        "Spherical interpolation between the noise of two seeds: every point of the path is a picture too. The path follows the sphere near which noise lies.",
        "两个种子的噪声之间的球面插值：路线上每一点也都是一张图片。路线沿球面走，因为噪声就分布在球面附近。",
        "兩個種子的雜訊之間的球面內插：路線上每一點也都是一張圖片。路線沿球面走，因為雜訊就分布在球面附近。",
    ),
    "from_seed": ("From seed", "起点种子", "起點種子"),
    "to_seed": ("To seed", "终点种子", "終點種子"),
    "num_frames": ("Frames", "帧数", "影格數"),
    "interpolate": ("Interpolate", "插值", "內插"),
    "interpolation_empty": (
        "Press Interpolate, and the frames appear here, also as a film.",
        "按“插值”，各帧就出现在这里，也会成为一段影片。",
        "按「內插」，各影格就出現在這裡，也會成為一段影片。",
    ),
    "arithmetic": (
        "Latent arithmetic: calculate with pictures",
        "潜空间算术：用图片做加减",
        "潛在空間算術：用圖片做加減",
    ),
    "arithmetic_intro": (
        "Red ball − red box + blue box = ? The mean noise of a few pictures that show the same thing stands for that thing. Give seeds, or labels and let a classifier look for sixteen seeds each among the first 2,000 pictures; then it classifies the result.",
        "红球 − 红方块 + 蓝方块 = ？几张图片若有同样的内容，它们噪声的平均值就代表这个内容。可直接给种子，也可写标签，让分类器在前 2000 张图片中各找十六个种子；结果也由它来分类。",
        "紅球 − 紅方塊 + 藍方塊 = ？幾張圖片若有同樣的內容，它們雜訊的平均值就代表這個內容。可直接給種子，也可寫標籤，讓分類器在前 2000 張圖片中各找十六個種子；結果也由它來分類。",
    ),
    "arithmetic_a": ("A: seeds", "A：种子", "A：種子"),
    "arithmetic_b": ("− B: seeds", "− B：种子", "− B：種子"),
    "arithmetic_c": ("+ C: seeds", "+ C：种子", "+ C：種子"),
    "arithmetic_words": ("label", "标签，如“红球”", "標籤，如「紅球」"),
    "find_seeds": ("Find seeds by label", "按标签找种子", "按標籤找種子"),
    "calculate": ("Calculate A − B + C", "计算 A − B + C", "計算 A − B + C"),
    "arithmetic_empty": (
        "Press Calculate: the pictures of the three means and of the result appear here.",
        "按“计算”：三个平均值和结果的图片就出现在这里。",
        "按「計算」：三個平均值和結果的圖片就出現在這裡。",
    ),
    "sum_note": (
        "Under each picture: its class, by {reader}. The discriminator's scores: {scores}.",
        "图注：{reader} 给出的类别。判别器的得分：{scores}。",
        "圖註：{reader} 給出的類別。判別器的得分：{scores}。",
    ),
    "sum_right": (
        "As expected: what the pictures of A, B and C have in common makes {expected}, and that is what the "
        "classifier reads in the result ({prob}).",
        "与预期一致：按 A、B、C 各自图片的共同点，结果应为{expected}，分类器认出的也正是它（{prob}）。",
        "與預期一致：按 A、B、C 各自圖片的共同點，結果應為{expected}，分類器認出的也正是它（{prob}）。",
    ),
    "sum_wrong": (
        "Another thing than expected: what the pictures of A, B and C have in common makes {expected}, but the "
        "classifier reads {seen} in the result ({prob}). Measured with dcgan-tiny-world: of 100 sums of two "
        "colours and two kinds 85 come out right with sixteen seeds for each mean, 61 with four, 22 with one.",
        "与预期不同：按 A、B、C 各自图片的共同点，结果应为{expected}，分类器认出的却是{seen}（{prob}）。"
        "用 dcgan-tiny-world 测得：两种颜色、两种东西的算式，每个平均用十六个种子时 100 次对 85 次，四个时 61 次，"
        "一个时 22 次。",
        "與預期不同：按 A、B、C 各自圖片的共同點，結果應為{expected}，分類器認出的卻是{seen}（{prob}）。"
        "用 dcgan-tiny-world 測得：兩種顏色、兩種東西的算式，每個平均用十六個種子時 100 次對 85 次，四個時 61 次，"
        "一個時 22 次。",
    ),
    "sum_open_apart": (
        "What the result should be cannot be said: B has to share a colour or a kind with A or with C, and most "
        "pictures of each have to show the same.",
        "说不出结果应是什么：B 须与 A 或 C 有相同的颜色或种类，且各自的多数图片须有同样的内容。",
        "說不出結果應是什麼：B 須與 A 或 C 有相同的顏色或種類，且各自的多數圖片須有同樣的內容。",
    ),
    "sum_open_alike": (
        "What the result should be cannot be said: the pictures of A, B and C all show the same, so nothing is "
        "taken away or added.",
        "说不出结果应是什么：A、B、C 的图片内容都相同，等于什么也没有减去或加上。",
        "說不出結果應是什麼：A、B、C 的圖片內容都相同，等於什麼也沒有減去或加上。",
    ),
    "sum_open_unsure": (
        "What the result should be cannot be said: the classifier is not sure (below {sure}) what the means of A, "
        "B and C show.",
        "说不出结果应是什么：分类器没有把握（低于 {sure}）认出 A、B、C 的平均图片。",
        "說不出結果應是什麼：分類器沒有把握（低於 {sure}）認出 A、B、C 的平均圖片。",
    ),
    "sum_open_asked": (
        "What the result should be cannot be said: most pictures of these seeds do not show what the labels say. Find seeds again for this model.",
        "说不出结果应是什么：这些种子的图片大多不符合标签。请为这个模型重新找种子。",
        "說不出結果應是什麼：這些種子的圖片大多不符合標籤。請為這個模型重新找種子。",
    ),
    "sum_open_result": (
        "Whether the result is as expected cannot be said: what the pictures of A, B and C have in common makes "
        "{expected}, but the classifier is not sure what the result shows ({seen}, {prob}).",
        "说不出结果是否与预期一致：按 A、B、C 各自图片的共同点，结果应为{expected}，但分类器没有把握认出结果"
        "（{seen}，{prob}）。",
        "說不出結果是否與預期一致：按 A、B、C 各自圖片的共同點，結果應為{expected}，但分類器沒有把握認出結果"
        "（{seen}，{prob}）。",
    ),
    "mean_of": ("mean of {letter}", "{letter} 的平均", "{letter} 的平均"),
    "looking": (
        "classifying pictures: {done} of {total}",
        "正在分类图片：{done}/{total}",
        "正在分類圖片：{done}/{total}",
    ),
    "seeds_found": (
        "Found in {model} among its first {count} pictures, the classifier's least confidence being {prob:.0f} %.",
        "在 {model} 的前 {count} 张图片中找到，分类器最低把握为 {prob:.0f} %。",
        "在 {model} 的前 {count} 張圖片中找到，分類器最低把握為 {prob:.0f} %。",
    ),
    "seeds_of_another": (
        "These seeds were found in {model}; {other} makes other pictures of them. Find seeds again for it.",
        "这些种子是在 {model} 中找到的；{other} 用它们生成别的图片。请为它重新找种子。",
        "這些種子是在 {model} 中找到的；{other} 用它們生成別的圖片。請為它重新找種子。",
    ),
    "gan_stopped": ("Stopped.", "已停止。", "已停止。"),
    "mixing": (
        "Style mixing, the styles of two pictures",
        "风格混合：混合两张图片的风格",
        "風格混合：混合兩張圖片的風格",
    ),
    "mixing_intro": (
        "A style-based generator takes a style vector at every layer: that of the first layers decides what is where, that of the last ones its colours. Left: all of the second seed; right: all of the first.",
        "基于风格的生成器在每一层都取一个风格向量：前几层的决定什么在哪里，后几层的决定颜色。最左：全由第二个种子；最右：全由第一个种子。",
        "基於風格的生成器在每一層都取一個風格向量：前幾層的決定什麼在哪裡，後幾層的決定顏色。最左：全由第二個種子；最右：全由第一個種子。",
    ),
    "coarse_seed": ("First layers: seed", "前几层：种子", "前幾層：種子"),
    "fine_seed": ("Last layers: seed", "后几层：种子", "後幾層：種子"),
    "mix": ("Mix", "混合", "混合"),
    "mixing_empty": (
        "Press Mix. It takes a model of the recipe stylegan in one of the columns.",
        "按“混合”。其中一栏须选由配方 stylegan 训练的模型。",
        "按「混合」。其中一欄須選由配方 stylegan 訓練的模型。",
    ),
    "caption_layers": ("{count} layers", "{count} 层", "{count} 層"),
}
