"""Everything of this app up to 0012 at once: databases that have those migrations count this one as done."""

import core.fields
import core.migration_operations
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


_FUNCTIONS = r"""
CREATE FUNCTION wechat_replies_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE wechat_account SET reply_version = reply_version + 1;
    RETURN NULL;
END $$;
"""

_TRIGGERS = r"""
CREATE TRIGGER replies_changed AFTER INSERT OR DELETE OR UPDATE OR TRUNCATE ON wechat_replyholiday
    FOR EACH STATEMENT
    EXECUTE FUNCTION wechat_replies_changed();

CREATE TRIGGER replies_changed AFTER INSERT OR DELETE OR UPDATE OR TRUNCATE ON wechat_replyhours
    FOR EACH STATEMENT
    EXECUTE FUNCTION wechat_replies_changed();

CREATE TRIGGER replies_changed AFTER INSERT OR DELETE OR UPDATE OR TRUNCATE ON wechat_replypart
    FOR EACH STATEMENT
    EXECUTE FUNCTION wechat_replies_changed();

CREATE TRIGGER replies_changed AFTER INSERT OR DELETE OR UPDATE OR TRUNCATE ON wechat_replyrule
    FOR EACH STATEMENT
    EXECUTE FUNCTION wechat_replies_changed();
"""


class Migration(migrations.Migration):

    replaces = [('wechat', '0001_first'), ('wechat', '0002_by_person'), ('wechat', '0003_sending_lanes'), ('wechat', '0004_templates'), ('wechat', '0005_reply_parts'), ('wechat', '0006_reply_versions'), ('wechat', '0007_follower_tags'), ('wechat', '0008_follower_syncs'), ('wechat', '0009_menus'), ('wechat', '0010_follower_acted_at'), ('wechat', '0011_follower_taggings'), ('wechat', '0012_taggings_of_erased')]

    initial = True

    dependencies = [
    ]

    operations = [
        core.migration_operations.CreateModels(
            models=[
                migrations.CreateModel(
                    name='Account',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('slug', models.SlugField(help_text='出现在回调地址里，如 main', max_length=40, unique=True, verbose_name='短名')),
                        ('name', models.CharField(max_length=60, verbose_name='名称')),
                        ('kind', models.CharField(choices=[('official', '公众号'), ('mini_program', '小程序')], default='official', max_length=16, verbose_name='类型')),
                        ('app_id', models.CharField(max_length=40, unique=True, verbose_name='AppID')),
                        ('original_id', models.CharField(help_text='以 gh_ 开头', max_length=40, verbose_name='原始ID')),
                        ('app_secret', core.fields.SealedTextField(verbose_name='AppSecret')),
                        ('push_token', core.fields.SealedTextField(validators=[django.core.validators.RegexValidator('^[0-9A-Za-z]{3,32}$', '3–32 位字母或数字')], verbose_name='推送令牌(Token)')),
                        ('push_mode', models.CharField(choices=[('plain', '明文模式'), ('compatible', '兼容模式'), ('safe', '安全模式')], default='safe', max_length=12, verbose_name='消息加解密方式')),
                        ('aes_key', core.fields.SealedTextField(blank=True, help_text='43 位；明文模式可不填', verbose_name='EncodingAESKey')),
                        ('previous_aes_key', core.fields.SealedTextField(blank=True, help_text='更换密钥后的过渡期内保留', verbose_name='上一个 EncodingAESKey')),
                        ('is_active', models.BooleanField(default=True, verbose_name='启用')),
                        ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='创建时间')),
                        ('reply_version', models.BigIntegerField(default=0, editable=False)),
                    ],
                    options={
                        'verbose_name': '微信账号',
                        'verbose_name_plural': '微信账号',
                    },
                ),
                migrations.CreateModel(
                    name='ReplyTallyCursor',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('is_only', models.BooleanField(default=True, unique=True)),
                        ('inbound_id', models.BigIntegerField(default=0)),
                    ],
                    options={
                        'verbose_name': '命中计数进度',
                        'verbose_name_plural': '命中计数进度',
                    },
                ),
                migrations.CreateModel(
                    name='PermanentCodeBudget',
                    fields=[
                        ('account', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='code_budget', serialize=False, to='wechat.account')),
                        ('cap', models.PositiveIntegerField(default=100000, verbose_name='上限')),
                        ('spent_count', models.PositiveIntegerField(default=0, verbose_name='已用')),
                    ],
                    options={
                        'verbose_name': '永久码额度',
                        'verbose_name_plural': '永久码额度',
                        'constraints': [models.CheckConstraint(condition=models.Q(('spent_count__lte', models.F('cap'))), name='permanentcodebudget_within_cap')],
                    },
                ),
                migrations.CreateModel(
                    name='AccessToken',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('kind', models.CharField(choices=[('access', '接口令牌'), ('jsapi', '网页票据')], max_length=8)),
                        ('value', core.fields.SealedTextField(blank=True)),
                        ('expires_at', models.DateTimeField(null=True)),
                        ('leased_until', models.DateTimeField(null=True)),
                        ('lease_holder', models.CharField(blank=True, max_length=32)),
                        ('forced_at', models.DateTimeField(null=True)),
                        ('forced_on', models.DateField(null=True)),
                        ('forced_count', models.PositiveIntegerField(default=0)),
                        ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tokens', to='wechat.account')),
                    ],
                    options={
                        'verbose_name': '接口令牌',
                        'verbose_name_plural': '接口令牌',
                        'constraints': [models.UniqueConstraint(fields=('account', 'kind'), name='accesstoken_one_per_account_and_kind')],
                    },
                ),
                migrations.CreateModel(
                    name='Follower',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('openid', models.CharField(max_length=64, verbose_name='openid')),
                        ('unionid', models.CharField(blank=True, max_length=64, verbose_name='unionid')),
                        ('is_following', models.BooleanField(default=True, verbose_name='关注中')),
                        ('followed_at', models.DateTimeField(null=True, verbose_name='关注时间')),
                        ('unfollowed_at', models.DateTimeField(null=True, verbose_name='取关时间')),
                        ('first_scene', models.CharField(blank=True, max_length=64, verbose_name='首次关注的码')),
                        ('identified_at', models.DateTimeField(null=True)),
                        ('window_until', models.DateTimeField(null=True, verbose_name='可发消息至')),
                        ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wechat.account', verbose_name='账号')),
                        ('listed_run', models.BigIntegerField(null=True)),
                        ('acted_at', models.DateTimeField(null=True, verbose_name='上次互动')),
                    ],
                    options={
                        'verbose_name': '粉丝',
                        'verbose_name_plural': '粉丝',
                        'indexes': [models.Index(condition=models.Q(('identified_at__isnull', True), ('is_following', True)), fields=['id'], name='follower_unidentified')],
                        'constraints': [models.UniqueConstraint(fields=('account', 'openid'), name='follower_one_per_account_and_openid')],
                    },
                ),
                migrations.CreateModel(
                    name='InboundEvent',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('dedupe_key', models.CharField(max_length=64, unique=True)),
                        ('nonce_key', models.CharField(max_length=64, null=True)),
                        ('kind', models.CharField(max_length=60, verbose_name='类型')),
                        ('openid', models.CharField(blank=True, max_length=64, verbose_name='用户')),
                        ('pushed_at', models.DateTimeField(null=True, verbose_name='微信时间')),
                        ('received_at', models.DateTimeField(verbose_name='收到时间')),
                        ('raw', models.TextField(verbose_name='原文')),
                        ('state', models.CharField(choices=[('stored', '待处理'), ('processing', '处理中'), ('processed', '已处理'), ('ignored', '未识别'), ('unreadable', '无法读取'), ('failed', '处理失败')], default='stored', max_length=12, verbose_name='状态')),
                        ('attempt_count', models.PositiveSmallIntegerField(default=0, verbose_name='处理次数')),
                        ('leased_until', models.DateTimeField(null=True)),
                        ('lease_holder', models.CharField(blank=True, max_length=32)),
                        ('retry_not_before', models.DateTimeField(null=True)),
                        ('finished_at', models.DateTimeField(null=True, verbose_name='处理完成时间')),
                        ('failure', models.CharField(blank=True, max_length=300, verbose_name='失败原因')),
                        ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wechat.account', verbose_name='账号')),
                        ('won_rule_id', models.BigIntegerField(null=True)),
                    ],
                    options={
                        'verbose_name': '推送',
                        'verbose_name_plural': '收件箱',
                        'indexes': [models.Index(condition=models.Q(('state__in', ['stored', 'processing'])), fields=['id'], name='inboundevent_waiting_queue'), models.Index(fields=['received_at'], name='inboundevent_by_received'), models.Index(fields=['openid'], name='inboundevent_of_person')],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('nonce_key__isnull', False)), fields=('nonce_key',), name='inboundevent_one_body_per_nonce')],
                    },
                ),
                migrations.CreateModel(
                    name='MediaHandle',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('content_sha256', models.CharField(max_length=64)),
                        ('kind', models.CharField(max_length=8)),
                        ('media_id', models.CharField(max_length=200)),
                        ('expires_at', models.DateTimeField()),
                        ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='wechat.account')),
                    ],
                    options={
                        'verbose_name': '已上传素材',
                        'verbose_name_plural': '已上传素材',
                        'constraints': [models.UniqueConstraint(fields=('account', 'kind', 'content_sha256'), name='mediahandle_one_per_file_and_kind')],
                    },
                ),
                migrations.CreateModel(
                    name='OutboundCall',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('path', models.CharField(max_length=80, verbose_name='接口')),
                        ('called_at', models.DateTimeField(db_index=True, verbose_name='时间')),
                        ('called_on', models.DateField(verbose_name='日期')),
                        ('outcome', models.CharField(max_length=16, verbose_name='结果')),
                        ('errcode', models.IntegerField(null=True, verbose_name='返回码')),
                        ('rid', models.CharField(blank=True, max_length=80, verbose_name='微信请求号')),
                        ('latency_ms', models.PositiveIntegerField(verbose_name='耗时(毫秒)')),
                        ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='wechat.account', verbose_name='账号')),
                    ],
                    options={
                        'verbose_name': '接口调用',
                        'verbose_name_plural': '接口调用',
                        'indexes': [models.Index(fields=['called_on', 'account', 'path'], name='outboundcall_for_quota')],
                    },
                ),
                migrations.CreateModel(
                    name='OutboundMessage',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('openid', models.CharField(max_length=64, verbose_name='用户')),
                        ('kind', models.CharField(choices=[('text', '文字'), ('image', '图片'), ('article', '图文'), ('mini_program_card', '小程序卡片')], max_length=20, verbose_name='类型')),
                        ('payload', models.JSONField(verbose_name='内容')),
                        ('reason_key', models.CharField(max_length=80, unique=True, verbose_name='事由')),
                        ('state', models.CharField(choices=[('held', '排在后面'), ('queued', '待发送'), ('sending', '发送中'), ('sent', '已发送'), ('dropped', '未发送'), ('uncertain', '结果未知')], default='queued', max_length=12, verbose_name='状态')),
                        ('created_at', models.DateTimeField(verbose_name='创建时间')),
                        ('not_before', models.DateTimeField(verbose_name='最早发送')),
                        ('window_until', models.DateTimeField(help_text='过了这个时间就不再发送', verbose_name='最晚发送')),
                        ('attempt_count', models.PositiveSmallIntegerField(default=0, verbose_name='尝试次数')),
                        ('leased_until', models.DateTimeField(null=True)),
                        ('lease_holder', models.CharField(blank=True, max_length=32)),
                        ('finished_at', models.DateTimeField(null=True, verbose_name='完成时间')),
                        ('errcode', models.IntegerField(null=True, verbose_name='微信返回码')),
                        ('outcome', models.CharField(blank=True, max_length=120, verbose_name='结果说明')),
                        ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wechat.account', verbose_name='账号')),
                        ('after_message_id', models.BigIntegerField(null=True)),
                        ('is_followed', models.BooleanField(default=False)),
                    ],
                    options={
                        'verbose_name': '客服消息',
                        'verbose_name_plural': '发件箱',
                        'indexes': [models.Index(condition=models.Q(('state__in', ['queued', 'sending'])), fields=['not_before'], name='outboundmessage_due_queue'), models.Index(fields=['created_at'], name='outboundmessage_by_created'), models.Index(fields=['openid'], name='outboundmessage_of_person'), models.Index(condition=models.Q(('state', 'held')), fields=['after_message_id'], name='outboundmessage_held')],
                    },
                ),
                migrations.CreateModel(
                    name='ReplyRule',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('name', models.CharField(max_length=60, verbose_name='规则名')),
                        ('trigger', models.CharField(choices=[('follow', '关注时'), ('scan', '已关注的人扫码时'), ('keyword', '收到关键词'), ('message', '收到图片、语音等'), ('click', '点菜单时'), ('after_hours', '非营业时间的其他消息'), ('default', '其他消息(默认)')], max_length=12, verbose_name='何时回复')),
                        ('channel_code', models.CharField(blank=True, help_text='只在扫这个码时回复；留空表示不限哪个码', max_length=30, verbose_name='渠道码')),
                        ('keyword', models.CharField(blank=True, max_length=200, verbose_name='关键词')),
                        ('keyword_match', models.CharField(choices=[('exact', '完全一致'), ('contains', '包含'), ('pattern', '正则表达式')], default='exact', max_length=10, verbose_name='匹配方式')),
                        ('priority', models.SmallIntegerField(default=0, help_text='同样匹配时，数字大的先用', verbose_name='优先级')),
                        ('is_active', models.BooleanField(default=True, verbose_name='启用')),
                        ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='wechat.account', verbose_name='账号')),
                        ('menu_key', models.CharField(blank=True, help_text='菜单里“点击后回复”那一项的标识', max_length=128, verbose_name='菜单标识')),
                        ('message_kind', models.CharField(blank=True, choices=[('image', '图片'), ('voice', '语音'), ('video', '视频'), ('location', '位置'), ('link', '链接')], max_length=12, verbose_name='消息类型')),
                        ('pause_minutes', models.PositiveIntegerField(default=0, help_text='0 表示每次都回复；期间她的消息会交给导购', verbose_name='同一个人隔多久才再回复（分钟）')),
                        ('valid_from', models.DateTimeField(blank=True, help_text='留空表示马上开始', null=True, verbose_name='开始时间')),
                        ('valid_until', models.DateTimeField(blank=True, help_text='到这一刻就不再回复；留空表示一直有效', null=True, verbose_name='结束时间')),
                    ],
                    options={
                        'verbose_name': '自动回复',
                        'verbose_name_plural': '自动回复',
                        'ordering': ['trigger', '-priority', 'pk'],
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('trigger', 'keyword'), _negated=True), models.Q(('keyword', ''), _negated=True), _connector='OR'), name='replyrule_keyword_has_a_word'), models.CheckConstraint(condition=models.Q(('valid_until__isnull', True), ('valid_from__isnull', True), ('valid_until__gt', models.F('valid_from')), _connector='OR'), name='replyrule_ends_after_start'), models.CheckConstraint(condition=models.Q(('pause_minutes__lte', 10080)), name='replyrule_pause_within_a_week')],
                    },
                ),
                migrations.CreateModel(
                    name='SendLane',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('channel', models.CharField(choices=[('template', '模板消息'), ('subscription', '订阅消息'), ('service', '客服消息'), ('tagging', '粉丝标签')], max_length=12, verbose_name='通道')),
                        ('rate_per_s', models.PositiveIntegerField(default=200, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(5000)], verbose_name='每秒最多')),
                        ('next_at', models.DateTimeField()),
                        ('taken_count', models.PositiveIntegerField(default=0)),
                        ('backoff_until', models.DateTimeField(null=True, verbose_name='放慢到')),
                        ('backoff_count', models.PositiveSmallIntegerField(default=0)),
                        ('halted_at', models.DateTimeField(null=True, verbose_name='停发时间')),
                        ('halted_until', models.DateTimeField(null=True, verbose_name='停发到')),
                        ('halt_code', models.CharField(blank=True, max_length=60)),
                        ('halt_errcode', models.IntegerField(null=True)),
                        ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='wechat.account', verbose_name='账号')),
                    ],
                    options={
                        'verbose_name': '发送通道',
                        'verbose_name_plural': '发送通道',
                        'constraints': [models.UniqueConstraint(fields=('account', 'channel'), name='sendlane_one_per_account_and_channel'), models.CheckConstraint(condition=models.Q(('rate_per_s__gte', 1)), name='sendlane_rate_positive')],
                    },
                ),
                migrations.CreateModel(
                    name='MessageTemplate',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('template_id', models.CharField(max_length=80, verbose_name='模板ID')),
                        ('title', models.CharField(max_length=120, verbose_name='标题')),
                        ('content', models.TextField(verbose_name='模板内容')),
                        ('example', models.TextField(blank=True, verbose_name='示例')),
                        ('fields', models.JSONField(default=list, verbose_name='字段')),
                        ('is_lasting', models.BooleanField(default=False, verbose_name='长期订阅')),
                        ('synced_at', models.DateTimeField(verbose_name='同步时间')),
                        ('gone_at', models.DateTimeField(blank=True, null=True, verbose_name='消失时间')),
                        ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='wechat.account', verbose_name='账号')),
                    ],
                    options={
                        'verbose_name': '消息模板',
                        'verbose_name_plural': '模板消息',
                        'constraints': [models.UniqueConstraint(fields=('account', 'template_id'), name='messagetemplate_one_per_account_and_template')],
                    },
                ),
                migrations.CreateModel(
                    name='ReplyHours',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('weekly', models.JSONField(blank=True, default=list, verbose_name='每周时间')),
                        ('account', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='wechat.account', verbose_name='账号')),
                    ],
                    options={
                        'verbose_name': '营业时间',
                        'verbose_name_plural': '营业时间',
                    },
                ),
                migrations.CreateModel(
                    name='FollowerTag',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('wechat_tag_id', models.BigIntegerField(verbose_name='微信标签编号')),
                        ('name', models.CharField(max_length=60, verbose_name='标签名')),
                        ('follower_count', models.PositiveIntegerField(default=0, verbose_name='粉丝数')),
                        ('synced_at', models.DateTimeField(verbose_name='同步时间')),
                        ('gone_at', models.DateTimeField(blank=True, null=True, verbose_name='消失时间')),
                        ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='wechat.account', verbose_name='账号')),
                        ('claim_count', models.PositiveIntegerField(default=0)),
                        ('lease_holder', models.CharField(blank=True, max_length=32)),
                        ('leased_until', models.DateTimeField(null=True)),
                        ('list_next', models.CharField(blank=True, max_length=64)),
                        ('list_started_at', models.DateTimeField(null=True)),
                        ('listed_at', models.DateTimeField(null=True, verbose_name='名单同步时间')),
                    ],
                    options={
                        'verbose_name': '粉丝标签',
                        'verbose_name_plural': '粉丝标签',
                        'constraints': [models.UniqueConstraint(fields=('account', 'wechat_tag_id'), name='followertag_one_per_account_and_wechat_id')],
                    },
                ),
                migrations.CreateModel(
                    name='FollowerSync',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('state', models.CharField(choices=[('running', '同步中'), ('paused', '已暂停'), ('failed', '出错停下'), ('finished', '已完成'), ('stopped', '已停止')], default='running', max_length=10, verbose_name='状态')),
                        ('phase', models.CharField(choices=[('listing', '读取粉丝名单'), ('checking', '核对名单外的粉丝'), ('identifying', '查 unionid')], default='listing', max_length=12, verbose_name='步骤')),
                        ('next_openid', models.CharField(blank=True, max_length=64)),
                        ('check_cursor', models.BigIntegerField(default=0)),
                        ('total_count', models.PositiveIntegerField(default=0, verbose_name='微信报告的粉丝数')),
                        ('seen_count', models.PositiveIntegerField(default=0, verbose_name='已读粉丝')),
                        ('new_count', models.PositiveIntegerField(default=0, verbose_name='新增粉丝')),
                        ('lost_count', models.PositiveIntegerField(default=0, verbose_name='发现已取关')),
                        ('identified_count', models.PositiveIntegerField(default=0, verbose_name='查过 unionid')),
                        ('request_count', models.PositiveIntegerField(default=0, verbose_name='用了多少次接口')),
                        ('restart_count', models.PositiveSmallIntegerField(default=0)),
                        ('lookups_on', models.DateField(null=True)),
                        ('lookup_count', models.PositiveIntegerField(default=0)),
                        ('resume_at', models.DateTimeField(null=True, verbose_name='下次继续')),
                        ('trouble_count', models.PositiveSmallIntegerField(default=0)),
                        ('trouble_code', models.CharField(blank=True, max_length=60)),
                        ('trouble_errcode', models.IntegerField(null=True)),
                        ('lease_holder', models.CharField(blank=True, max_length=32)),
                        ('leased_until', models.DateTimeField(null=True)),
                        ('claim_count', models.PositiveIntegerField(default=0)),
                        ('started_at', models.DateTimeField(verbose_name='开始时间')),
                        ('phase_started_at', models.DateTimeField()),
                        ('moved_at', models.DateTimeField(verbose_name='最近进展')),
                        ('ended_at', models.DateTimeField(null=True, verbose_name='结束时间')),
                        ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='wechat.account', verbose_name='账号')),
                    ],
                    options={
                        'verbose_name': '粉丝同步',
                        'verbose_name_plural': '粉丝同步',
                        'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('account',), name='followersync_one_open_per_account')],
                    },
                ),
                migrations.CreateModel(
                    name='MenuLease',
                    fields=[
                        ('account', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='wechat.account')),
                        ('holder', models.CharField(blank=True, max_length=32)),
                        ('leased_until', models.DateTimeField(null=True)),
                    ],
                    options={
                        'verbose_name': '菜单发布占用',
                        'verbose_name_plural': '菜单发布占用',
                    },
                ),
                migrations.CreateModel(
                    name='MenuVersion',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('number', models.PositiveIntegerField(verbose_name='版本')),
                        ('buttons', models.JSONField(default=list, verbose_name='默认菜单')),
                        ('conditionals', models.JSONField(default=list, verbose_name='个性化菜单')),
                        ('state', models.CharField(choices=[('draft', '草稿'), ('unclear', '结果未知'), ('partial', '没有全部换好'), ('published', '已发布'), ('superseded', '历史版本')], default='draft', max_length=12, verbose_name='状态')),
                        ('note', models.CharField(blank=True, max_length=100, verbose_name='备注')),
                        ('revision', models.PositiveIntegerField(default=1)),
                        ('saved_at', models.DateTimeField(verbose_name='保存时间')),
                        ('saved_by', models.CharField(max_length=80, verbose_name='保存人')),
                        ('published_at', models.DateTimeField(blank=True, null=True, verbose_name='发布时间')),
                        ('published_by', models.CharField(blank=True, max_length=80, verbose_name='发布人')),
                        ('errcode', models.IntegerField(null=True)),
                        ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='wechat.account', verbose_name='账号')),
                    ],
                    options={
                        'verbose_name': '菜单版本',
                        'verbose_name_plural': '自定义菜单',
                        'constraints': [models.UniqueConstraint(fields=('account', 'number'), name='menuversion_one_per_number'), models.UniqueConstraint(condition=models.Q(('state', 'draft')), fields=('account',), name='menuversion_one_draft_per_account'), models.UniqueConstraint(condition=models.Q(('state', 'published')), fields=('account',), name='menuversion_one_published_per_account')],
                    },
                ),
                migrations.CreateModel(
                    name='ForgottenFollower',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('digest', models.BinaryField(max_length=32)),
                        ('forgotten_at', models.DateTimeField(verbose_name='注销时间')),
                        ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='wechat.account', verbose_name='账号')),
                    ],
                    options={
                        'verbose_name': '已注销的粉丝',
                        'verbose_name_plural': '已注销的粉丝',
                        'constraints': [models.UniqueConstraint(fields=('account', 'digest'), name='forgottenfollower_one_per_account_and_digest')],
                    },
                ),
                migrations.CreateModel(
                    name='ReplyPart',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('position', models.PositiveSmallIntegerField(default=1, verbose_name='顺序')),
                        ('kind', models.CharField(default='text', max_length=20, verbose_name='类型')),
                        ('text', models.TextField(blank=True, verbose_name='文字内容')),
                        ('title', models.CharField(blank=True, max_length=64, verbose_name='标题')),
                        ('description', models.CharField(blank=True, max_length=120, verbose_name='摘要')),
                        ('url', models.CharField(blank=True, max_length=1024, validators=[django.core.validators.URLValidator(schemes=['https', 'http'])], verbose_name='点击后打开')),
                        ('picture_url', models.CharField(blank=True, max_length=1024, validators=[django.core.validators.URLValidator(schemes=['https', 'http'])], verbose_name='封面图地址')),
                        ('card_app_id', models.CharField(blank=True, max_length=40, verbose_name='小程序 AppID')),
                        ('card_page', models.CharField(blank=True, max_length=255, verbose_name='小程序页面')),
                        ('picture', models.ImageField(blank=True, upload_to='reply-cards/', verbose_name='图片')),
                        ('target', models.CharField(blank=True, max_length=40, verbose_name='给什么')),
                        ('rule', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='wechat.replyrule')),
                    ],
                    options={
                        'verbose_name': '回复内容',
                        'verbose_name_plural': '回复内容',
                        'ordering': ['position', 'pk'],
                    },
                ),
                migrations.CreateModel(
                    name='ReplyTally',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('won_count', models.BigIntegerField(default=0, verbose_name='命中次数')),
                        ('last_won_at', models.DateTimeField(null=True, verbose_name='最近命中')),
                        ('rule', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='tally', to='wechat.replyrule')),
                    ],
                    options={
                        'verbose_name': '命中计数',
                        'verbose_name_plural': '命中计数',
                        'constraints': [models.CheckConstraint(condition=models.Q(('won_count__gte', 0)), name='replytally_not_negative')],
                    },
                ),
                migrations.CreateModel(
                    name='TemplateTrial',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('openid', models.CharField(max_length=64)),
                        ('tried_at', models.DateTimeField(verbose_name='试发时间')),
                        ('tried_by', models.CharField(max_length=80, verbose_name='试发人')),
                        ('state', models.CharField(blank=True, max_length=12)),
                        ('code', models.CharField(blank=True, max_length=60)),
                        ('errcode', models.IntegerField(null=True)),
                        ('field', models.CharField(blank=True, max_length=40)),
                        ('message_id', models.CharField(blank=True, max_length=40)),
                        ('template', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='trials', to='wechat.messagetemplate')),
                    ],
                    options={
                        'verbose_name': '模板试发',
                        'verbose_name_plural': '模板试发',
                        'indexes': [models.Index(fields=['template', '-tried_at'], name='templatetrial_of_template'), models.Index(fields=['openid'], name='templatetrial_of_person')],
                    },
                ),
                migrations.CreateModel(
                    name='ReplyHoliday',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('name', models.CharField(max_length=20, verbose_name='名称')),
                        ('first_on', models.DateField(verbose_name='第一天')),
                        ('last_on', models.DateField(verbose_name='最后一天')),
                        ('opens_at', models.TimeField(blank=True, help_text='两个都空着表示休息', null=True, verbose_name='开始')),
                        ('closes_at', models.TimeField(blank=True, null=True, verbose_name='结束')),
                        ('hours', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='holidays', to='wechat.replyhours')),
                    ],
                    options={
                        'verbose_name': '特别日子',
                        'verbose_name_plural': '特别日子',
                        'ordering': ['first_on', 'pk'],
                        'constraints': [models.CheckConstraint(condition=models.Q(('last_on__gte', models.F('first_on'))), name='replyholiday_ends_after_start'), models.CheckConstraint(condition=models.Q(models.Q(('closes_at__isnull', True), ('opens_at__isnull', True)), models.Q(('closes_at__isnull', False), ('opens_at__isnull', False)), _connector='OR'), name='replyholiday_both_times_or_none')],
                    },
                ),
                migrations.CreateModel(
                    name='FollowerTagging',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('openid', models.CharField(max_length=64)),
                        ('is_there', models.BooleanField(default=False, verbose_name='微信里已打上')),
                        ('wanted', models.BooleanField(null=True, verbose_name='应当打上')),
                        ('state', models.CharField(choices=[('settled', '一致'), ('queued', '待同步'), ('failed', '微信拒绝')], default='settled', max_length=8, verbose_name='状态')),
                        ('not_before', models.DateTimeField(verbose_name='最早同步')),
                        ('attempt_count', models.PositiveSmallIntegerField(default=0, verbose_name='尝试次数')),
                        ('code', models.CharField(blank=True, max_length=60, verbose_name='原因')),
                        ('errcode', models.IntegerField(null=True, verbose_name='微信返回码')),
                        ('changed_at', models.DateTimeField(verbose_name='最近变化')),
                        ('seen_at', models.DateTimeField(null=True)),
                        ('lease_holder', models.CharField(blank=True, max_length=32)),
                        ('leased_until', models.DateTimeField(null=True)),
                        ('tag', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='wechat.followertag', verbose_name='标签')),
                        ('forgotten_at', models.DateTimeField(editable=False, null=True)),
                    ],
                    options={
                        'verbose_name': '粉丝身上的标签',
                        'verbose_name_plural': '粉丝身上的标签',
                        'indexes': [models.Index(condition=models.Q(('state', 'queued')), fields=['tag', 'wanted', 'not_before', 'id'], name='followertagging_due'), models.Index(condition=models.Q(('state', 'failed')), fields=['tag', 'not_before'], name='followertagging_failed'), models.Index(fields=['openid'], name='followertagging_of_follower')],
                        'constraints': [models.UniqueConstraint(fields=('tag', 'openid'), name='followertagging_one_per_tag_and_openid'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'queued'), _negated=True), ('wanted__isnull', False), _connector='OR'), name='followertagging_queued_is_wanted')],
                    },
                ),
            ],
        ),
        migrations.RunSQL(_FUNCTIONS, "DROP FUNCTION wechat_replies_changed CASCADE"),
        migrations.RunSQL(_TRIGGERS, migrations.RunSQL.noop),
    ]
