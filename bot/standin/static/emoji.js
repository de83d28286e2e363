// Emoji by Slack's short names: the common few hundred. One not listed is shown as :name:.

const LISTED = `
+1 👍 thumbsup 👍 -1 👎 thumbsdown 👎 ok_hand 👌 wave 👋 clap 👏 raised_hands 🙌 pray 🙏 muscle 💪 point_up ☝️ point_up_2 👆
point_down 👇 point_left 👈 point_right 👉 raised_hand ✋ hand ✋ fist ✊ facepunch 👊 v ✌️ crossed_fingers 🤞 handshake 🤝 writing_hand ✍️
open_hands 👐 call_me_hand 🤙 metal 🤘 vulcan_salute 🖖 palms_up_together 🤲 brain 🧠 ear 👂 nose 👃 eye 👁️ eyes 👀
smile 😄 smiley 😃 grinning 😀 grin 😁 laughing 😆 satisfied 😆 sweat_smile 😅 joy 😂 rolling_on_the_floor_laughing 🤣 rofl 🤣 blush 😊 innocent 😇
slightly_smiling_face 🙂 upside_down_face 🙃 wink 😉 relieved 😌 heart_eyes 😍 kissing_heart 😘 yum 😋 stuck_out_tongue 😛
sunglasses 😎 nerd_face 🤓 face_with_monocle 🧐 star-struck 🤩 partying_face 🥳 smirk 😏 unamused 😒 disappointed 😞 pensive 😔 worried 😟
confused 😕 slightly_frowning_face 🙁 persevere 😣 tired_face 😫 weary 😩 cry 😢 sob 😭 triumph 😤 angry 😠 rage 😡 exploding_head 🤯
flushed 😳 scream 😱 fearful 😨 cold_sweat 😰 sweat 😓 hugging_face 🤗 thinking_face 🤔 thinking 🤔 shushing_face 🤫 lying_face 🤥 no_mouth 😶
neutral_face 😐 expressionless 😑 grimacing 😬 face_with_rolling_eyes 🙄 hushed 😯 open_mouth 😮 astonished 😲 sleeping 😴 sleepy 😪 zipper_mouth_face 🤐
mask 😷 sick 🤢 dizzy_face 😵 hot_face 🥵 cold_face 🥶 skull 💀 ghost 👻 alien 👽 robot_face 🤖 clown_face 🤡 poop 💩 see_no_evil 🙈 hear_no_evil 🙉
speak_no_evil 🙊 saluting_face 🫡 melting_face 🫠 face_palm 🤦 shrug 🤷 man-shrugging 🤷‍♂️ woman-shrugging 🤷‍♀️ bow 🙇 runner 🏃 walking 🚶
firefighter 🧑‍🚒 technologist 🧑‍💻 detective 🕵️ sleuth_or_spy 🕵️ cop 👮 construction_worker 👷 superhero 🦸 ninja 🥷 baby 👶 busts_in_silhouette 👥
bust_in_silhouette 👤 speaking_head_in_silhouette 🗣️ family 👪 crown 👑 tophat 🎩 mortar_board 🎓 helmet_with_white_cross ⛑️ rescue_worker_helmet ⛑️
heart ❤️ orange_heart 🧡 yellow_heart 💛 green_heart 💚 blue_heart 💙 purple_heart 💜 black_heart 🖤 white_heart 🤍 broken_heart 💔 two_hearts 💕
sparkling_heart 💖 100 💯 boom 💥 collision 💥 dizzy 💫 sweat_drops 💦 dash 💨 zzz 💤 speech_balloon 💬 thought_balloon 💭 anger 💢
white_check_mark ✅ heavy_check_mark ✔️ ballot_box_with_check ☑️ x ❌ negative_squared_cross_mark ❎ heavy_multiplication_x ✖️ heavy_plus_sign ➕
heavy_minus_sign ➖ bangbang ‼️ exclamation ❗ heavy_exclamation_mark ❗ grey_exclamation ❕ question ❓ grey_question ❔ interrobang ⁉️ warning ⚠️ no_entry ⛔
no_entry_sign 🚫 stop_sign 🛑 octagonal_sign 🛑 radioactive_sign ☢️ biohazard_sign ☣️ o ⭕ recycle ♻️ trident 🔱 beginner 🔰 sos 🆘 new 🆕 up 🆙 ok 🆗
free 🆓 cool 🆒 red_circle 🔴 large_orange_circle 🟠 large_yellow_circle 🟡 large_green_circle 🟢 large_blue_circle 🔵 blue_circle 🔵 large_purple_circle 🟣
purple_circle 🟣 large_brown_circle 🟤 black_circle ⚫ white_circle ⚪ red_square 🟥 large_red_square 🟥 large_orange_square 🟧 large_yellow_square 🟨
large_green_square 🟩 large_blue_square 🟦 large_purple_square 🟪 black_large_square ⬛ white_large_square ⬜ black_square_button 🔲 radio_button 🔘
small_red_triangle 🔺 small_red_triangle_down 🔻 small_orange_diamond 🔸 small_blue_diamond 🔹 large_orange_diamond 🔶 large_blue_diamond 🔷 diamond_shape_with_a_dot_inside 💠
arrow_up ⬆️ arrow_down ⬇️ arrow_left ⬅️ arrow_right ➡️ arrow_upper_right ↗️ arrow_lower_right ↘️ arrow_right_hook ↪️ leftwards_arrow_with_hook ↩️
arrows_counterclockwise 🔄 arrows_clockwise 🔃 left_right_arrow ↔️ arrow_up_down ↕️ repeat 🔁 twisted_rightwards_arrows 🔀 arrow_forward ▶️ fast_forward ⏩
rewind ⏪ black_square_for_stop ⏹️ double_vertical_bar ⏸️ black_right_pointing_triangle_with_double_vertical_bar ⏯️ black_circle_for_record ⏺️ end 🔚 back 🔙 on 🔛 soon 🔜 top 🔝
zero 0️⃣ one 1️⃣ two 2️⃣ three 3️⃣ four 4️⃣ five 5️⃣ six 6️⃣ seven 7️⃣ eight 8️⃣ nine 9️⃣ keycap_ten 🔟 hash #️⃣ information_source ℹ️ 1234 🔢 abc 🔤
fire 🔥 rotating_light 🚨 police_car 🚓 fire_engine 🚒 ambulance 🚑 bell 🔔 no_bell 🔕 mega 📣 loudspeaker 📢 postal_horn 📯 pager 📟 telephone ☎️ phone ☎️
telephone_receiver 📞 iphone 📱 calling 📲 satellite_antenna 📡 satellite 🛰️ battery 🔋 electric_plug 🔌 computer 💻 desktop_computer 🖥️ keyboard ⌨️ printer 🖨️
floppy_disk 💾 minidisc 💽 cd 💿 dvd 📀 camera 📷 camera_with_flash 📸 video_camera 📹 tv 📺 mag 🔍 mag_right 🔎 bulb 💡 flashlight 🔦 candle 🕯️ izakaya_lantern 🏮 lantern 🏮
book 📖 open_book 📖 books 📚 notebook 📓 ledger 📒 closed_book 📕 green_book 📗 blue_book 📘 orange_book 📙 bookmark 🔖 bookmark_tabs 📑 page_facing_up 📄 page_with_curl 📃
scroll 📜 newspaper 📰 label 🏷️ memo 📝 pencil 📝 pencil2 ✏️ lower_left_ballpoint_pen 🖊️ clipboard 📋 pushpin 📌 round_pushpin 📍 paperclip 📎 linked_paperclips 🖇️
straight_ruler 📏 triangular_ruler 📐 scissors ✂️ card_index 📇 card_index_dividers 🗂️ card_file_box 🗃️ file_cabinet 🗄️ wastebasket 🗑️ file_folder 📁 open_file_folder 📂 spiral_note_pad 🗒️
calendar 📆 date 📅 spiral_calendar_pad 🗓️ chart_with_upwards_trend 📈 chart_with_downwards_trend 📉 bar_chart 📊 envelope ✉️ email 📧 e-mail 📧 incoming_envelope 📨
envelope_with_arrow 📩 outbox_tray 📤 inbox_tray 📥 package 📦 mailbox 📫 ballot_box_with_ballot 🗳️ link 🔗 chains ⛓️ lock 🔒 unlock 🔓 lock_with_ink_pen 🔏
closed_lock_with_key 🔐 key 🔑 old_key 🗝️ hammer 🔨 hammer_and_wrench 🛠️ wrench 🔧 nut_and_bolt 🔩 gear ⚙️ screwdriver 🪛 toolbox 🧰 magnet 🧲 shield 🛡️ bomb 💣
firecracker 🧨 pill 💊 syringe 💉 adhesive_bandage 🩹 stethoscope 🩺 microscope 🔬 telescope 🔭 test_tube 🧪 thermometer 🌡️ broom 🧹 basket 🧺 sponge 🧽 fire_extinguisher 🧯
hourglass ⌛ hourglass_flowing_sand ⏳ watch ⌚ alarm_clock ⏰ stopwatch ⏱️ timer_clock ⏲️ mantelpiece_clock 🕰️ clock1 🕐 clock2 🕑 clock3 🕒 clock4 🕓 clock5 🕔 clock6 🕕 clock7 🕖
clock8 🕗 clock9 🕘 clock10 🕙 clock11 🕚 clock12 🕛 checkered_flag 🏁 triangular_flag_on_post 🚩 black_flag 🏴 waving_white_flag 🏳️ white_flag 🏳️
tada 🎉 confetti_ball 🎊 balloon 🎈 gift 🎁 trophy 🏆 medal 🏅 sports_medal 🏅 first_place_medal 🥇 dart 🎯 game_die 🎲 jigsaw 🧩 art 🎨 performing_arts 🎭 musical_note 🎵 headphones 🎧 ticket 🎫
star ⭐ star2 🌟 sparkles ✨ zap ⚡ high_voltage ⚡ cloud ☁️ sunny ☀️ partly_sunny ⛅ rain_cloud 🌧️ thunder_cloud_and_rain ⛈️ lightning 🌩️ snowflake ❄️ tornado 🌪️ fog 🌫️ ocean 🌊 droplet 💧
umbrella ☔ rainbow 🌈 crescent_moon 🌙 full_moon 🌕 new_moon 🌑 sunrise 🌅 earth_africa 🌍 earth_americas 🌎 earth_asia 🌏 globe_with_meridians 🌐 volcano 🌋 seedling 🌱 evergreen_tree 🌲 deciduous_tree 🌳
herb 🌿 four_leaf_clover 🍀 maple_leaf 🍁 mushroom 🍄 cactus 🌵 rose 🌹 sunflower 🌻 dog 🐶 cat 🐱 mouse 🐭 rabbit 🐰 fox_face 🦊 bear 🐻 panda_face 🐼 tiger 🐯 lion_face 🦁 cow 🐮 pig 🐷 frog 🐸
monkey_face 🐵 chicken 🐔 penguin 🐧 bird 🐦 owl 🦉 bat 🦇 unicorn_face 🦄 bee 🐝 honeybee 🐝 bug 🐛 butterfly 🦋 snail 🐌 beetle 🪲 ant 🐜 spider 🕷️ spider_web 🕸️ turtle 🐢 snake 🐍 octopus 🐙 crab 🦀 whale 🐳 dolphin 🐬
shark 🦈 elephant 🐘 canary 🐤 hatching_chick 🐣 apple 🍎 banana 🍌 cherries 🍒 lemon 🍋 avocado 🥑 pizza 🍕 hamburger 🍔 taco 🌮 popcorn 🍿 cake 🍰 birthday 🎂 cookie 🍪 doughnut 🍩 chocolate_bar 🍫
coffee ☕ tea 🍵 beer 🍺 beers 🍻 wine_glass 🍷 champagne 🍾 tropical_drink 🍹 bowl_with_spoon 🥣 house 🏠 office 🏢 hospital 🏥 factory 🏭 bank 🏦 department_store 🏬 school 🏫 construction 🚧
building_construction 🏗️ traffic_light 🚦 vertical_traffic_light 🚦 bus 🚌 car 🚗 taxi 🚕 truck 🚚 tractor 🚜 bike 🚲 train 🚆 bullettrain_side 🚄 airplane ✈️ airplane_departure 🛫 rocket 🚀 helicopter 🚁 ship 🚢
anchor ⚓ fuelpump ⛽ busstop 🚏 world_map 🗺️ compass 🧭 bridge_at_night 🌉 tent ⛺ moneybag 💰 dollar 💵 credit_card 💳 gem 💎 scales ⚖️ balance_scale ⚖️ abacus 🧮 receipt 🧾
ladder 🪜 bricks 🧱 door 🚪 mirror 🪞 bed 🛏️ bathtub 🛁 toilet 🚽 shopping_trolley 🛒 teddy_bear 🧸 crystal_ball 🔮 nazar_amulet 🧿 thread 🧵 infinity ♾️ copyright ©️ registered ®️ tm ™️
wavy_dash 〰️ curly_loop ➰ part_alternation_mark 〽️ eight_spoked_asterisk ✳️ eight_pointed_black_star ✴️ sparkle ❇️ heavy_dollar_sign 💲 currency_exchange 💱 low_brightness 🔅 high_brightness 🔆 signal_strength 📶
vibration_mode 📳 mobile_phone_off 📴 name_badge 📛 atom_symbol ⚛️ wheelchair ♿ parking 🅿️ flag-us 🇺🇸 flag-gb 🇬🇧 gb 🇬🇧 uk 🇬🇧 flag-de 🇩🇪 de 🇩🇪 flag-fr 🇫🇷 fr 🇫🇷 flag-in 🇮🇳 flag-jp 🇯🇵 flag-eu 🇪🇺 flag-nl 🇳🇱 flag-br 🇧🇷
`;

export const EMOJI = new Map();
const words = LISTED.split(/\s+/).filter(Boolean);
for (let at = 0; at < words.length; at += 2) EMOJI.set(words[at], words[at + 1]);

/** The ones offered first in the picker. */
export const OFFERED = [
  "+1", "eyes", "white_check_mark", "pushpin", "fire", "rotating_light", "warning", "tada", "heart", "raised_hands",
  "pray", "thinking_face", "x", "memo", "hourglass_flowing_sand", "rocket", "mag", "bulb", "hammer_and_wrench", "checkered_flag",
];

/** The character of ":name:" or ":name::skin-tone-2:", or null. */
export function emoji(name) {
  return EMOJI.get(name.split("::")[0]) ?? null;
}

/** Names that hold what was typed, best first. */
export function emojiLike(typed, limit = 8) {
  const found = [...EMOJI.keys()].filter((name) => name.includes(typed));
  found.sort((a, b) => Number(b.startsWith(typed)) - Number(a.startsWith(typed)) || a.length - b.length);
  return found.slice(0, limit);
}
