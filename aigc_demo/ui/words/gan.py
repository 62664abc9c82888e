"""The words of the tab GAN: its columns, the discriminator, the nearest training image, the evaluation."""

from aigc_demo.core.languages import Row

GAN_WORDS: dict[str, Row] = {
    "tab_gan": ("🎨 GAN", "🎨 GAN 生成对抗网络", "🎨 GAN 生成對抗網路"),
    "gan_intro": (
        "A seed gives the noise (the latent vector) that a picture is generated from. Our GAN does it in one step; the baseline is a diffusion model, which denoises in many.",
        "种子决定噪声（潜向量），图片由它生成。我们的 GAN 一步生成；基线是扩散模型，分许多步去噪。",
        "種子決定雜訊（潛向量），圖片由它生成。我們的 GAN 一步生成；基線是擴散模型，分許多步去噪。",
    ),
    "gan_no_models": (
        "There is no model that generates pictures here yet. Train one in the tab Train, or on the command line:",
        "这里还没有生成图片的模型。请在“训练”页训练一个，或用命令行：",
        "這裡還沒有生成圖片的模型。請在「訓練」頁訓練一個，或用命令列：",
    ),
    "num_pictures": ("Pictures", "图片数", "圖片數"),
    "truncation": ("Truncation (GAN)", "截断（GAN）", "截斷（GAN）"),
    "truncation_info": (
        "0: always the mean picture; 1: as in training; above: more varied",
        "0：总是平均图片；1：与训练时相同；更大：更多样",
        "0：總是平均圖片；1：與訓練時相同；更大：更多樣",
    ),
    "pictures_empty": (
        "Press Generate, and the pictures appear here. Click one to look for the training picture nearest to it.",
        "按“生成”，图片就出现在这里。点击一张，可查找与它最相近的训练图片。",
        "按「生成」，圖片就出現在這裡。點擊一張，可尋找與它最相近的訓練圖片。",
    ),
    "note_scores": (
        "Each caption: the seed, and the discriminator's score: the probability of being real, by the model's own discriminator.",
        "图注：种子，以及判别器的得分：模型自己的判别器认为图片为真的概率。",
        "圖註：種子，以及判別器的得分：模型自己的判別器認為圖片為真的機率。",
    ),
    "note_seeds": ("Each caption: the seed.", "图注：种子。", "圖註：種子。"),
    # the discriminator and the training images
    "judging": ("The discriminator's scores", "判别器的得分", "判別器的得分"),
    "judging_intro": (
        "The second network of a GAN, the discriminator, learns to tell real pictures from generated ones. Under each picture: its score, the probability of being real. Where both networks are in balance, it can do no better than 50 %.",
        "GAN 的第二个网络是判别器，它学着分辨真图片与生成的图片。每张图片下方是它的得分，即图片为真的概率。若两个网络势均力敌，它只能说 50 %。",
        "GAN 的第二個網路是判別器，它學著分辨真圖片與生成的圖片。每張圖片下方是它的得分，即圖片為真的機率。若兩個網路勢均力敵，它只能說 50 %。",
    ),
    "own_pictures": ("Pictures of your own (PNG)", "你自己的图片（PNG）", "你自己的圖片（PNG）"),
    "ask_discriminator": ("Ask the discriminator", "问判别器", "問判別器"),
    "judging_empty": (
        "Press the button: real pictures the network never learned from, those of both columns, and your own.",
        "按按钮：网络没学过的真图片、两栏的图片和你自己的图片。",
        "按按鈕：網路沒學過的真圖片、兩欄的圖片和你自己的圖片。",
    ),
    "judged_real": ("real: {score}", "真：{score}", "真：{score}"),
    "judged_left": ("left: {score}", "左：{score}", "左：{score}"),
    "judged_right": ("right: {score}", "右：{score}", "右：{score}"),
    "judged_own": ("yours: {score}", "你的：{score}", "你的：{score}"),
    "judged_note": (
        "Discriminator of {model}. Mean of each kind: {means}.",
        "{model} 的判别器。各类平均：{means}。",
        "{model} 的判別器。各類平均：{means}。",
    ),
    "nearest": (
        "Nearest neighbour in the training data: has it copied?",
        "训练数据中的最近邻：是抄的吗？",
        "訓練資料中的最近鄰：是抄的嗎？",
    ),
    "nearest_intro": (
        "Click a picture above. If the nearest training picture is the same, the model has memorised it.",
        "点击上面的一张图片。若最相近的训练图片与它相同，模型就是记住了它。",
        "點擊上面的一張圖片。若最相近的訓練圖片與它相同，模型就是記住了它。",
    ),
    "training_zip": (
        "Training pictures as a zip of PNG files, where they are not the tiny world's",
        "训练图片：PNG 的 zip 文件（若不是小世界的）",
        "訓練圖片：PNG 的 zip 檔（若不是小世界的）",
    ),
    "nearest_working": (
        "preparing the training pictures; the first time takes some seconds",
        "正在准备训练图片；第一次需要几秒",
        "正在準備訓練圖片；第一次需要幾秒",
    ),
    "waits_in_line": (
        "It begins when what is running on this tab is done. Stop ends both.",
        "等本页正在进行的任务完成后开始；“停止”会结束两者。",
        "等本頁正在進行的任務完成後開始；「停止」會結束兩者。",
    ),
    "nearest_empty": ("Click a picture above.", "点击上面的一张图片。", "點擊上面的一張圖片。"),
    "nearest_made": ("generated, seed {seed}", "生成，种子 {seed}", "生成，種子 {seed}"),
    "nearest_found": ("nearest of {count}", "{count} 张中最相近", "{count} 張中最相近"),
    "nearest_note": (
        "Root mean square difference: {distance:.1f} of 255 grey levels; 0 is the same picture.",
        "均方根误差：{distance:.1f} 个灰度级（共 255）；0 表示是同一张。",
        "均方根誤差：{distance:.1f} 個灰階（共 255）；0 表示是同一張。",
    ),
    # the evaluation
    "measuring": ("Evaluation of both models", "评估两个模型", "評估兩個模型"),
    "measuring_intro": (
        "Each generates 2,000 pictures, and an image encoder compares them with real ones. A GAN takes some seconds, diffusion minutes. Stop ends it.",
        "每个模型生成 2000 张图片，由图像编码器与真图片比较。GAN 要几秒，扩散要几分钟。“停止”可结束。",
        "每個模型生成 2000 張圖片，由影像編碼器與真圖片比較。GAN 要幾秒，擴散要幾分鐘。「停止」可結束。",
    ),
    "measure": ("Measure", "衡量", "衡量"),
    "making": (
        "generated {done} of {total} pictures",
        "已生成 {done}/{total} 张图片",
        "已生成 {done}/{total} 張圖片",
    ),
    "measured_modes": ("Modes covered (kinds)", "覆盖的模式（种类）", "覆蓋的模式（種類）"),
    "measured_modes_value": (
        "{covered} of {total} (real ones: {real})",
        "{covered}/{total}（真图片：{real}）",
        "{covered}/{total}（真圖片：{real}）",
    ),
    "measured_distance": ("Frechet distance", "弗雷歇距离", "弗雷歇距離"),
    "measured_precision": ("Precision", "精确率", "精確率"),
    "measured_recall": ("Recall", "召回率", "召回率"),
    "measured_evenness": ("Evenness", "均匀度", "均勻度"),
    "measured_made": ("Generated pictures", "生成的图片数", "生成的圖片數"),
    "measured_real": ("Real pictures", "真图片数", "真圖片數"),
    "measured_by": ("Image encoder", "图像编码器", "影像編碼器"),
    "alarm_collapsed": (
        "Mode collapse: the model makes few kinds of picture, however good each may look.",
        "模式坍塌：无论每张看起来多好，模型只会画少数几类图片。",
        "模式坍塌：無論每張看起來多好，模型只會畫少數幾類圖片。",
    ),
    "alarm_none": ("No sign of mode collapse.", "没有模式坍塌的迹象。", "沒有模式坍塌的跡象。"),
    "alarm_none_imprecise": (
        "No sign of mode collapse: the kinds are there. But precision is {precision}: hardly any picture is as "
        "near to the real ones as they are to each other; details are still wrong.",
        "没有模式坍塌的迹象：各类图片都有。但精确率只有 {precision}：几乎没有一张像真图片彼此那样接近真图片，"
        "细节仍不对。",
        "沒有模式坍塌的跡象：各類圖片都有。但精確率只有 {precision}：幾乎沒有一張像真圖片彼此那樣接近真圖片，"
        "細節仍不對。",
    ),
    "alarm_dropped": (
        "Kinds are missing (mode dropping): of the pictures that can be recognised, {covered} of {total} kinds "
        "are there. That is less than a model without favourites would show, and no collapse yet.",
        "缺少一些种类（模式丢失）：能认出的图片只有 {total} 类中的 {covered} 类，少于没有偏好的模型，"
        "但还不是模式坍塌。",
        "缺少一些種類（模式遺失）：能認出的圖片只有 {total} 類中的 {covered} 類，少於沒有偏好的模型，"
        "但還不是模式坍塌。",
    ),
    "alarm_no_images_far": (
        "It does not draw recognisable pictures yet: the classifier is sure of the kind of {sure} of them, but "
        "only {near} look like a real one to it. Whether it collapses can be said once it draws.",
        "它还画不出可辨认的图片：分类器能确定其中 {sure} 的种类，但在它看来只有 {near} 接近某张真图片。"
        "要等它画得出来，才能说是否模式坍塌。",
        "它還畫不出可辨認的圖片：分類器能確定其中 {sure} 的種類，但在它看來只有 {near} 接近某張真圖片。"
        "要等它畫得出來，才能說是否模式坍塌。",
    ),
    "alarm_no_images_unsure": (
        "It does not draw recognisable pictures yet: {near} of them are near a real one, but the classifier is "
        "sure of the kind of only {sure}. Whether it collapses can be said once it draws.",
        "它还画不出可辨认的图片：其中 {near} 接近某张真图片，但分类器只能确定 {sure} 的种类。"
        "要等它画得出来，才能说是否模式坍塌。",
        "它還畫不出可辨認的圖片：其中 {near} 接近某張真圖片，但分類器只能確定 {sure} 的種類。"
        "要等它畫得出來，才能說是否模式坍塌。",
    ),
    "alarm_no_images_far_unsure": (
        "It does not draw recognisable pictures yet: only {near} of them are near a real one, and the classifier "
        "is sure of the kind of only {sure}. Whether it collapses can be said once it draws.",
        "它还画不出可辨认的图片：其中只有 {near} 接近某张真图片，分类器也只能确定 {sure} 的种类。"
        "要等它画得出来，才能说是否模式坍塌。",
        "它還畫不出可辨認的圖片：其中只有 {near} 接近某張真圖片，分類器也只能確定 {sure} 的種類。"
        "要等它畫得出來，才能說是否模式坍塌。",
    ),
    "alarm_no_images_apart": (
        "It does not draw recognisable pictures yet: {near} of them are near a real one and the classifier is "
        "sure of the kind of {sure}, but only {readable} are both. Whether it collapses can be said once it draws.",
        "它还画不出可辨认的图片：其中 {near} 接近某张真图片，分类器能确定 {sure} 的种类，但两者都满足的只有 "
        "{readable}。要等它画得出来，才能说是否模式坍塌。",
        "它還畫不出可辨認的圖片：其中 {near} 接近某張真圖片，分類器能確定 {sure} 的種類，但兩者都滿足的只有 "
        "{readable}。要等它畫得出來，才能說是否模式坍塌。",
    ),
}
