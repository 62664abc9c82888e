"""The words of the tab GAN, and of the step-by-step GAN in it."""

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
    # what can be done with the noise
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
        "红球 − 红盒 + 蓝盒 = ？几张图片若有同样的内容，它们噪声的平均值就代表这个内容。可直接给种子，也可写标签，让分类器在前 2000 张图片中各找十六个种子；结果也由它来分类。",
        "紅球 − 紅盒 + 藍盒 = ？幾張圖片若有同樣的內容，它們雜訊的平均值就代表這個內容。可直接給種子，也可寫標籤，讓分類器在前 2000 張圖片中各找十六個種子；結果也由它來分類。",
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
    # real pictures beside made ones
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
    # the step-by-step GAN
    "step_by_step": ("Train a GAN step by step", "逐步训练一个 GAN", "逐步訓練一個 GAN"),
    "step_by_step_intro": (
        "A small generator G and a small discriminator D, trained step by step. D wants the value function V(D, G) as large as it can be; G wants it small. Update one of them, and see the formula with its numbers. Each step takes another batch of 16 pictures of the tiny world; that of the last step stays on the page.",
        "一个小的生成器 G 和一个小的判别器 D，一步一步地训练。D 想让价值函数 V(D, G) 尽量大，G 想让它小。更新其中一方，就能看到代入了数值的公式。每步用小世界的另一批 16 张图片；上一步的那批留在页面上。",
        "一個小的生成器 G 和一個小的判別器 D，一步一步地訓練。D 想讓價值函數 V(D, G) 盡量大，G 想讓它小。更新其中一方，就能看到代入了數值的公式。每步用小世界的另一批 16 張圖片；上一步的那批留在頁面上。",
    ),
    "step_by_step_loss": ("Loss", "损失函数", "損失函數"),
    "step_by_step_loss_info": ("Counts from the next step on", "从下一步起生效", "從下一步起生效"),
    "step_by_step_loss_minimax": ("minimax", "极小极大", "極小極大"),
    "step_by_step_loss_non_saturating": ("non-saturating", "非饱和", "非飽和"),
    "step_by_step_loss_hinge": ("hinge", "铰链（hinge）", "鉸鏈（hinge）"),
    "step_by_step_generator_rate": ("Learning rate of G", "G 的学习率", "G 的學習率"),
    "step_by_step_discriminator_rate": ("Learning rate of D", "D 的学习率", "D 的學習率"),
    "step_by_step_rate_info": ("0 to 0.01", "0 到 0.01", "0 到 0.01"),
    "step_by_step_seed_info": (
        "Counts from the next new GAN on",
        "从下一个新的 GAN 起生效",
        "從下一個新的 GAN 起生效",
    ),
    "step_by_step_times": ("Steps per press", "每按一次的步数", "每按一次的步數"),
    "step_by_step_step_discriminator": ("Update D", "更新 D", "更新 D"),
    "step_by_step_step_generator": ("Update G", "更新 G", "更新 G"),
    "step_by_step_step_both": ("Update D, then G", "先更新 D，再更新 G", "先更新 D，再更新 G"),
    "step_by_step_new": ("New GAN", "新的 GAN", "新的 GAN"),
    "step_by_step_empty": (
        "No step yet. Press New GAN to see the first 16 pictures, or update one of the two.",
        "还没有训练。按“新的 GAN”可看最初的 16 张图片，或更新其中一方。",
        "還沒有訓練。按「新的 GAN」可看最初的 16 張圖片，或更新其中一方。",
    ),
    "step_by_step_state": (
        "Steps so far: {steps}. Means now: D(x) = {real}, D(G(z)) = {fake}.",
        "已训练 {steps} 步。现在的平均值：D(x) = {real}，D(G(z)) = {fake}。",
        "已訓練 {steps} 步。現在的平均值：D(x) = {real}，D(G(z)) = {fake}。",
    ),
    "step_by_step_number": ("Number", "数", "數"),
    "step_by_step_before": ("Before the last step", "上一步之前", "上一步之前"),
    "step_by_step_by_scores": (
        "Now, from the logits, as training computes it",
        "现在，按训练的算法由对数几率计算",
        "現在，按訓練的演算法由對數勝算計算",
    ),
    "step_by_step_by_probs": (
        "Now, from the probabilities D under the pictures",
        "现在，由图片下的概率 D 直接计算",
        "現在，由圖片下的機率 D 直接計算",
    ),
    "step_by_step_difference": ("Difference of the two", "两者之差", "兩者之差"),
    "step_by_step_mean_log_real": ("mean of log D(x)", "log D(x) 的平均", "log D(x) 的平均"),
    "step_by_step_mean_log_fake": (
        "mean of log(1 − D(G(z)))",
        "log(1 − D(G(z))) 的平均",
        "log(1 − D(G(z))) 的平均",
    ),
    "step_by_step_value": ("their sum, V(D, G)", "两者之和 V(D, G)", "兩者之和 V(D, G)"),
    "step_by_step_discriminator_loss": ("loss of D", "D 的损失", "D 的損失"),
    "step_by_step_generator_loss": ("loss of G", "G 的损失", "G 的損失"),
    "step_by_step_real": ("Real pictures x", "真图片 x", "真圖片 x"),
    "step_by_step_real_about": ("under each: D(x)", "每张下面是 D(x)", "每張下面是 D(x)"),
    "step_by_step_real_name": (
        "real picture {number}, D(x) = {prob}",
        "真图片 {number}，D(x) = {prob}",
        "真圖片 {number}，D(x) = {prob}",
    ),
    "step_by_step_fake": ("Generated pictures G(z)", "生成的图片 G(z)", "生成的圖片 G(z)"),
    "step_by_step_fake_about": ("under each: D(G(z))", "每张下面是 D(G(z))", "每張下面是 D(G(z))"),
    "step_by_step_fake_name": (
        "generated picture {number}, D(G(z)) = {prob}",
        "生成的图片 {number}，D(G(z)) = {prob}",
        "生成的圖片 {number}，D(G(z)) = {prob}",
    ),
    "step_by_step_heat": ("Gradient that reaches G", "传到 G 的梯度", "傳到 G 的梯度"),
    "step_by_step_heat_about": (
        "the gradient of G's loss by every pixel, |d L_G / d G(z)|, channels added; under each its largest",
        "G 的损失对每个像素的梯度 |d L_G / d G(z)|，各通道相加；每张下面是其最大值",
        "G 的損失對每個像素的梯度 |d L_G / d G(z)|，各通道相加；每張下面是其最大值",
    ),
    "step_by_step_heat_name": (
        "gradient in generated picture {number}, at most {most}",
        "生成的图片 {number} 上的梯度，最大 {most}",
        "生成的圖片 {number} 上的梯度，最大 {most}",
    ),
    "step_by_step_history_empty": (
        "After the first step, the curves of the training appear here.",
        "第一步之后，这里会出现训练曲线。",
        "第一步之後，這裡會出現訓練曲線。",
    ),
    "step_by_step_probs_chart": ("Output of D, step by step", "D 的输出逐步变化", "D 的輸出逐步變化"),
    "step_by_step_probs_axis": ("mean of D", "D 的平均", "D 的平均"),
    "step_by_step_losses_chart": ("The two losses, step by step", "两个损失的变化", "兩個損失的變化"),
    "step_by_step_loss_axis": ("loss", "损失", "損失"),
    "step_by_step_steps_axis": ("steps", "步数", "步數"),
    "step_by_step_line_real": ("D(x), real pictures", "D(x)，真图片", "D(x)，真圖片"),
    "step_by_step_line_fake": ("D(G(z)), generated pictures", "D(G(z))，生成的图片", "D(G(z))，生成的圖片"),
    "twins": (
        "Twin GANs: why not the minimax loss?",
        "双生 GAN：为什么不用极小极大损失？",
        "雙生 GAN：為什麼不用極小極大損失？",
    ),
    "twins_intro": (
        "Two GANs with the same initial weights, the same batches and the same noise. The loss of one generator is log(1 − D(G(z))) (minimax), that of the other −log D(G(z)) (non-saturating). As soon as D is sure, D(G(z)) is near 0: there the derivative of the first loss by D's score is near 0 and its generator gets almost no gradient, while that of the second is near −1. The learning rates above count here too; with a larger one for D it happens sooner.",
        "两个 GAN 的初始权重、批次和噪声都相同。一个生成器的损失是 log(1 − D(G(z)))（极小极大），另一个是 −log D(G(z))（非饱和）。D 一旦有把握，D(G(z)) 就接近 0：在那里前者对判别分数的导数接近 0，它的生成器几乎得不到梯度，而后者的导数接近 −1。上面的学习率在这里同样生效；D 的学习率越大，来得越早。",
        "兩個 GAN 的初始權重、批次和雜訊都相同。一個生成器的損失是 log(1 − D(G(z)))（極小極大），另一個是 −log D(G(z))（非飽和）。D 一旦有把握，D(G(z)) 就接近 0：在那裡前者對判別分數的導數接近 0，它的生成器幾乎得不到梯度，而後者的導數接近 −1。上面的學習率在這裡同樣生效；D 的學習率越大，來得越早。",
    ),
    "twins_step": ("Update both twins", "同时更新双生", "同時更新雙生"),
    "twins_new": ("New twins", "新的双生", "新的雙生"),
    "twins_empty": (
        "Press a button: the curves of the two losses appear here, and where each twin is on them.",
        "按一个按钮：这里会出现两条损失曲线，以及双生各自所在的位置。",
        "按一個按鈕：這裡會出現兩條損失曲線，以及雙生各自所在的位置。",
    ),
    "twins_loss_chart": (
        "G's loss; the dots are the twins",
        "G 的损失；圆点是双生所在之处",
        "G 的損失；圓點是雙生所在之處",
    ),
    "twins_slope_chart": (
        "Derivative of the loss by D's score: the gradient that G gets",
        "损失对判别分数的导数：G 得到的梯度",
        "損失對判別分數的導數：G 得到的梯度",
    ),
    "twins_slope_axis": ("derivative", "导数", "導數"),
    "twins_gradient_chart": (
        "Gradient norm of G over D(G(z)), a point for each step",
        "G 的梯度范数随 D(G(z)) 变化，每步一点",
        "G 的梯度範數隨 D(G(z)) 變化，每步一點",
    ),
    "twins_course_chart": (
        "Gradient norm of G, step by step",
        "G 的梯度范数逐步变化",
        "G 的梯度範數逐步變化",
    ),
    "twins_gradient_axis": ("gradient norm", "梯度范数", "梯度範數"),
    "twins_prob_axis": ("mean of D(G(z))", "D(G(z)) 的平均", "D(G(z)) 的平均"),
    "twins_line_minimax": (
        "minimax, log(1 − D(G(z)))",
        "极小极大，log(1 − D(G(z)))",
        "極小極大，log(1 − D(G(z)))",
    ),
    "twins_line_non_saturating": (
        "non-saturating, −log D(G(z))",
        "非饱和，−log D(G(z))",
        "非飽和，−log D(G(z))",
    ),
}
