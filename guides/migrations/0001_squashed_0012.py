"""Everything of this app up to 0012 at once: databases that have those migrations count this one as done."""

import core.codes
import core.fields
import core.migration_operations
import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


KINDS = (
    # code, name, time wanted, hours to accept, hours to do
    ('visit', '预约到店', True, 4, 24),
    ('home_service', '上门服务', True, 4, 24),
    ('repair', '售后维修', False, 8, 72),
    ('styling', '搭配建议', False, 8, 24),
    ('other', '其他', False, 8, 48),
)


def make_kinds(apps, schema_editor):
    """A new chain has something to offer; it changes names and hours in the admin."""
    kinds = apps.get_model('guides', 'RequestKind')
    for order, (code, name, wants_time, accept, finish) in enumerate(KINDS):
        kinds.objects.get_or_create(
            code=code,
            defaults={
                'name': name,
                'wants_time': wants_time,
                'accept_within_hours': accept,
                'finish_within_hours': finish,
                'order': order,
            },
        )


class Migration(migrations.Migration):

    replaces = [('guides', '0001_first'), ('guides', '0002_notes'), ('guides', '0003_sealed_names'), ('guides', '0004_service_requests'), ('guides', '0005_change_pause'), ('guides', '0006_code_purpose'), ('guides', '0007_follow_ups'), ('guides', '0008_conversations'), ('guides', '0009_follow_up_rounds'), ('guides', '0010_staff_in_conversations'), ('guides', '0011_tag_links'), ('guides', '0012_follow_up_rounds')]

    initial = True

    dependencies = [
        ('core', '0001_squashed_0002'),
        ('members', '0001_squashed_0017'),
        ('wechat', '0001_squashed_0012'),
    ]

    operations = [
        core.migration_operations.CreateModels(
            models=[
                migrations.CreateModel(
                    name='ActivationMiss',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('openid_index', models.CharField(max_length=64, unique=True)),
                        ('started_at', models.DateTimeField()),
                        ('miss_count', models.PositiveSmallIntegerField(default=0)),
                    ],
                    options={
                        'verbose_name': '激活失败计数',
                        'verbose_name_plural': '激活失败计数',
                    },
                ),
                migrations.CreateModel(
                    name='Dealer',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('code', models.CharField(max_length=20, unique=True, verbose_name='编号')),
                        ('name', models.CharField(max_length=60, verbose_name='名称')),
                        ('contact', models.CharField(blank=True, max_length=40, verbose_name='联系人')),
                        ('is_active', models.BooleanField(default=True, verbose_name='合作中')),
                    ],
                    options={
                        'verbose_name': '经销商',
                        'verbose_name_plural': '经销商',
                    },
                ),
                migrations.CreateModel(
                    name='Region',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('name', models.CharField(max_length=40, verbose_name='名称')),
                        ('path', models.CharField(db_index=True, editable=False, max_length=200)),
                        ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='guides.region', verbose_name='上级区域')),
                    ],
                    options={
                        'verbose_name': '区域',
                        'verbose_name_plural': '区域',
                        'constraints': [models.UniqueConstraint(fields=('parent', 'name'), name='region_name_once_below_a_parent', nulls_distinct=False)],
                    },
                ),
                migrations.CreateModel(
                    name='RequestKind',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('code', models.CharField(default=core.codes.new_public_id, editable=False, max_length=16, unique=True, verbose_name='编号')),
                        ('name', models.CharField(max_length=20, unique=True, verbose_name='名称')),
                        ('wants_time', models.BooleanField(default=False, verbose_name='需要约时间')),
                        ('accept_within_hours', models.PositiveSmallIntegerField(default=4, help_text='只算门店营业的时间，超过就提醒店长', verbose_name='几小时内接单')),
                        ('finish_within_hours', models.PositiveSmallIntegerField(default=24, help_text='从接单或约好的时间起，只算门店营业的时间', verbose_name='几小时内完成')),
                        ('close_after_days', models.PositiveSmallIntegerField(default=3, help_text='会员没有确认时，过这么多天自动结束', verbose_name='完成后几天自动结束')),
                        ('is_active', models.BooleanField(default=True, verbose_name='启用')),
                        ('order', models.PositiveSmallIntegerField(default=0, verbose_name='排序')),
                    ],
                    options={
                        'verbose_name': '服务类型',
                        'verbose_name_plural': '服务类型',
                        'ordering': ('order', 'pk'),
                        'constraints': [models.CheckConstraint(condition=models.Q(('accept_within_hours__range', (1, 720)), ('close_after_days__range', (1, 90)), ('finish_within_hours__range', (1, 2160))), name='requestkind_terms_are_humane')],
                    },
                ),
                migrations.CreateModel(
                    name='FollowUpRound',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('request_key', models.CharField(editable=False, max_length=36, unique=True)),
                        ('title', models.CharField(max_length=60, verbose_name='缘由')),
                        ('script', models.TextField(max_length=1000, verbose_name='话术')),
                        ('due_on', models.DateField(verbose_name='截止日期')),
                        ('chosen_count', models.PositiveIntegerField(verbose_name='选中会员')),
                        ('given_count', models.PositiveIntegerField(verbose_name='交给导购')),
                        ('given_by', models.CharField(max_length=90, verbose_name='派发人')),
                        ('given_at', models.DateTimeField(verbose_name='派发时间')),
                    ],
                    options={
                        'verbose_name': '任务派发',
                        'verbose_name_plural': '任务派发',
                    },
                ),
                migrations.CreateModel(
                    name='QuickReply',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('group', models.CharField(blank=True, help_text='例如：尺码、门店、售后', max_length=20, verbose_name='分类')),
                        ('title', models.CharField(max_length=30, unique=True, verbose_name='标题')),
                        ('text', models.TextField(verbose_name='内容')),
                        ('is_active', models.BooleanField(default=True, verbose_name='启用')),
                        ('order', models.PositiveSmallIntegerField(default=100, help_text='小的在前', verbose_name='排序')),
                    ],
                    options={
                        'verbose_name': '话术',
                        'verbose_name_plural': '话术',
                    },
                ),
                migrations.CreateModel(
                    name='TagLink',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('direction', models.CharField(choices=[('push', '会员标签 → 微信标签'), ('pull', '微信标签 → 会员标签')], max_length=4, verbose_name='方向')),
                        ('is_active', models.BooleanField(default=True, verbose_name='启用')),
                        ('due_at', models.DateTimeField()),
                        ('worked_at', models.DateTimeField(null=True, verbose_name='最近核对')),
                        ('put_count', models.PositiveIntegerField(default=0, verbose_name='新打上')),
                        ('taken_count', models.PositiveIntegerField(default=0, verbose_name='去掉')),
                        ('trouble_code', models.CharField(blank=True, max_length=60)),
                        ('follower_tag', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='wechat.followertag', verbose_name='微信标签')),
                        ('member_tag', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.tag', verbose_name='会员标签')),
                    ],
                    options={
                        'verbose_name': '标签对应',
                        'verbose_name_plural': '标签对应',
                        'indexes': [models.Index(condition=models.Q(('is_active', True)), fields=['due_at'], name='taglink_due')],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('is_active', True)), fields=('follower_tag',), name='taglink_one_active_per_follower_tag')],
                    },
                ),
                migrations.CreateModel(
                    name='BindingPolicy',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('name', models.CharField(max_length=40, verbose_name='名称')),
                        ('protected_days', models.PositiveIntegerField(blank=True, help_text='留空 = 先绑定者一直保留；0 = 以最后一次扫码为准', null=True, verbose_name='保护天数')),
                        ('is_active', models.BooleanField(default=True, verbose_name='启用')),
                        ('region', models.ForeignKey(blank=True, help_text='留空表示全部门店', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='guides.region', verbose_name='区域')),
                        ('change_pause_days', models.PositiveSmallIntegerField(default=30, help_text='会员在小程序里换过导购后，过这么多天才能再换；0 = 不限', verbose_name='会员自己更换的间隔（天）')),
                    ],
                    options={
                        'verbose_name': '绑定规则',
                        'verbose_name_plural': '绑定规则',
                        'constraints': [models.UniqueConstraint(condition=models.Q(('is_active', True)), fields=('region',), name='bindingpolicy_one_active_per_region', nulls_distinct=False)],
                    },
                ),
                migrations.CreateModel(
                    name='Store',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('public_id', models.CharField(default=core.codes.new_public_id, editable=False, max_length=16, unique=True)),
                        ('code', models.CharField(max_length=20, unique=True, verbose_name='门店编号')),
                        ('name', models.CharField(max_length=60, verbose_name='门店名称')),
                        ('address', models.CharField(blank=True, max_length=120, verbose_name='地址')),
                        ('latitude', models.DecimalField(blank=True, decimal_places=6, max_digits=9, null=True, verbose_name='纬度')),
                        ('longitude', models.DecimalField(blank=True, decimal_places=6, max_digits=9, null=True, verbose_name='经度')),
                        ('phone', models.CharField(blank=True, max_length=20, verbose_name='门店电话')),
                        ('opening_hours', models.JSONField(blank=True, default=list, help_text='周一到周日，如 ["10:00-22:00", …] 共 7 项；休息日写 ""', verbose_name='营业时间')),
                        ('is_active', models.BooleanField(default=True, verbose_name='营业')),
                        ('dealer', models.ForeignKey(blank=True, help_text='直营店留空', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='stores', to='guides.dealer', verbose_name='经销商')),
                        ('region', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='stores', to='guides.region', verbose_name='区域')),
                    ],
                    options={
                        'verbose_name': '门店',
                        'verbose_name_plural': '门店',
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('latitude__isnull', True), ('longitude__isnull', True)), models.Q(('latitude__range', (-90, 90)), ('longitude__range', (-180, 180))), _connector='OR'), name='store_position_whole_and_on_earth')],
                    },
                ),
                migrations.CreateModel(
                    name='Guide',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('public_id', models.CharField(default=core.codes.new_public_id, editable=False, max_length=16, unique=True)),
                        ('number', models.CharField(max_length=20, unique=True, verbose_name='工号')),
                        ('name', models.CharField(max_length=40, verbose_name='姓名')),
                        ('role', models.CharField(choices=[('guide', '导购'), ('manager', '店长')], default='guide', max_length=10, verbose_name='岗位')),
                        ('state', models.CharField(choices=[('active', '在职'), ('left', '已离职')], default='active', max_length=8, verbose_name='状态')),
                        ('joined_on', models.DateField(verbose_name='入职日期')),
                        ('left_on', models.DateField(blank=True, null=True, verbose_name='离职日期')),
                        ('session_epoch', models.PositiveIntegerField(default=1, editable=False)),
                        ('store', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='guides', to='guides.store', verbose_name='门店')),
                    ],
                    options={
                        'verbose_name': '导购',
                        'verbose_name_plural': '导购',
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('left_on__isnull', True), ('state', 'active')), models.Q(('left_on__isnull', False), ('state', 'left')), _connector='OR'), name='guide_left_has_a_day')],
                    },
                ),
                migrations.CreateModel(
                    name='StaffScope',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('dealer', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='guides.dealer', verbose_name='经销商')),
                        ('region', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='guides.region', verbose_name='区域')),
                        ('staff', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='后台账号')),
                        ('store', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='guides.store', verbose_name='门店')),
                    ],
                    options={
                        'verbose_name': '可见范围',
                        'verbose_name_plural': '可见范围',
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('dealer__isnull', True), ('region__isnull', False), ('store__isnull', True)), models.Q(('dealer__isnull', False), ('region__isnull', True), ('store__isnull', True)), models.Q(('dealer__isnull', True), ('region__isnull', True), ('store__isnull', False)), _connector='OR'), name='staffscope_exactly_one_part')],
                    },
                ),
                migrations.CreateModel(
                    name='ActivationCode',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('code_digest', models.CharField(max_length=64, unique=True)),
                        ('created_at', models.DateTimeField(verbose_name='创建时间')),
                        ('expires_at', models.DateTimeField(verbose_name='有效期至')),
                        ('used_at', models.DateTimeField(null=True, verbose_name='使用时间')),
                        ('revoked_at', models.DateTimeField(null=True, verbose_name='作废时间')),
                        ('guide', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='activation_codes', to='guides.guide')),
                    ],
                    options={
                        'verbose_name': '激活码',
                        'verbose_name_plural': '激活码',
                    },
                ),
                migrations.CreateModel(
                    name='GuidePosting',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('role', models.CharField(choices=[('guide', '导购'), ('manager', '店长')], max_length=10, verbose_name='岗位')),
                        ('started_at', models.DateTimeField(verbose_name='开始')),
                        ('ended_at', models.DateTimeField(null=True, verbose_name='结束')),
                        ('guide', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='postings', to='guides.guide', verbose_name='导购')),
                        ('store', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.store', verbose_name='门店')),
                    ],
                    options={
                        'verbose_name': '任职记录',
                        'verbose_name_plural': '任职记录',
                        'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('guide',), name='guideposting_one_open_per_guide'), models.CheckConstraint(condition=models.Q(('ended_at__isnull', True), ('ended_at__gte', models.F('started_at')), _connector='OR'), name='guideposting_ends_after_start')],
                    },
                ),
                migrations.CreateModel(
                    name='ChannelCode',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('code', models.CharField(default=core.codes.new_code_14, max_length=30, unique=True, verbose_name='渠道码')),
                        ('kind', models.CharField(choices=[('guide', '导购码'), ('store', '门店码')], max_length=8, verbose_name='类型')),
                        ('term', models.CharField(choices=[('permanent', '永久'), ('temporary', '临时(30天内自动续期)')], default='temporary', max_length=10, verbose_name='期限')),
                        ('label', models.CharField(blank=True, max_length=40, verbose_name='用途')),
                        ('created_at', models.DateTimeField(verbose_name='创建时间')),
                        ('valid_until', models.DateTimeField(blank=True, help_text='留空表示一直有效', null=True, verbose_name='有效期至')),
                        ('closed_at', models.DateTimeField(blank=True, null=True, verbose_name='停用时间')),
                        ('account_app_id', models.CharField(blank=True, max_length=40)),
                        ('ticket', models.CharField(blank=True, max_length=200)),
                        ('qr_url', models.CharField(blank=True, max_length=200, verbose_name='二维码内容')),
                        ('ticket_expires_at', models.DateTimeField(blank=True, null=True, verbose_name='微信二维码到期')),
                        ('leased_until', models.DateTimeField(editable=False, null=True)),
                        ('scan_count', models.PositiveIntegerField(default=0, verbose_name='扫码')),
                        ('follow_count', models.PositiveIntegerField(default=0, verbose_name='新关注')),
                        ('binding_count', models.PositiveIntegerField(default=0, verbose_name='绑定')),
                        ('guide', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='codes', to='guides.guide', verbose_name='导购')),
                        ('store', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='codes', to='guides.store', verbose_name='门店')),
                        ('purpose', models.CharField(blank=True, choices=[('', '绑定导购'), ('face_to_face', '面对面发券')], default='', max_length=16, verbose_name='用来做什么')),
                    ],
                    options={
                        'verbose_name': '渠道码',
                        'verbose_name_plural': '渠道码',
                        'indexes': [models.Index(condition=models.Q(('closed_at__isnull', True), ('term', 'temporary')), fields=['ticket_expires_at'], name='channelcode_to_renew')],
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('guide__isnull', False), ('kind', 'guide')), models.Q(('guide__isnull', True), ('kind', 'store')), _connector='OR'), name='channelcode_guide_kind_names_a_guide')],
                    },
                ),
                migrations.CreateModel(
                    name='GuideLogin',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('app_id', models.CharField(max_length=40)),
                        ('openid', models.CharField(max_length=64)),
                        ('activated_at', models.DateTimeField(verbose_name='激活时间')),
                        ('guide', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='logins', to='guides.guide')),
                    ],
                    options={
                        'verbose_name': '登录微信',
                        'verbose_name_plural': '登录微信',
                        'constraints': [models.UniqueConstraint(fields=('app_id', 'openid'), name='guidelogin_one_guide_per_openid'), models.UniqueConstraint(fields=('guide', 'app_id'), name='guidelogin_one_openid_per_guide')],
                    },
                ),
                migrations.CreateModel(
                    name='GuideTag',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('name', models.CharField(max_length=20, verbose_name='名称')),
                        ('guide', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.guide', verbose_name='导购')),
                    ],
                    options={
                        'verbose_name': '导购标签',
                        'verbose_name_plural': '导购标签',
                        'constraints': [models.UniqueConstraint(fields=('guide', 'name'), name='guidetag_one_per_name')],
                    },
                ),
                migrations.CreateModel(
                    name='GuideNote',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('text', models.CharField(max_length=500, verbose_name='内容')),
                        ('created_at', models.DateTimeField(verbose_name='写下时间')),
                        ('edited_at', models.DateTimeField(blank=True, null=True, verbose_name='修改时间')),
                        ('removed_at', models.DateTimeField(blank=True, null=True, verbose_name='删除时间')),
                        ('request_key', models.CharField(max_length=40, null=True)),
                        ('guide', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.guide', verbose_name='导购')),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member', verbose_name='会员')),
                    ],
                    options={
                        'verbose_name': '导购备注',
                        'verbose_name_plural': '导购备注',
                        'indexes': [models.Index(condition=models.Q(('removed_at__isnull', True)), fields=['guide', 'member', '-created_at'], name='guidenote_kept'), models.Index(fields=['member'], name='guidenote_of_member')],
                        'constraints': [models.UniqueConstraint(fields=('guide', 'request_key'), name='guidenote_once_per_request')],
                    },
                ),
                migrations.CreateModel(
                    name='GuideRemark',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('guide', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.guide', verbose_name='导购')),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member', verbose_name='会员')),
                        ('name_tokens', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, editable=False, size=None)),
                        ('name', core.fields.SealedTextField(verbose_name='称呼')),
                    ],
                    options={
                        'verbose_name': '导购给会员的称呼',
                        'verbose_name_plural': '导购给会员的称呼',
                        'constraints': [models.UniqueConstraint(fields=('guide', 'member'), name='guideremark_one_per_member')],
                    },
                ),
                migrations.CreateModel(
                    name='ServiceRequest',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('public_id', models.CharField(default=core.codes.new_public_id, editable=False, max_length=16, unique=True)),
                        ('words', core.fields.SealedTextField(blank=True, verbose_name='会员说')),
                        ('wanted_at', models.DateTimeField(blank=True, null=True, verbose_name='希望时间')),
                        ('scheduled_at', models.DateTimeField(blank=True, null=True, verbose_name='约定时间')),
                        ('follows_binding', models.BooleanField(default=True, editable=False)),
                        ('state', models.CharField(choices=[('open', '待接单'), ('accepted', '已接单'), ('in_progress', '进行中'), ('done', '已完成'), ('closed', '已结束'), ('cancelled', '会员已取消'), ('refused', '未能受理')], default='open', max_length=12, verbose_name='状态')),
                        ('opened_at', models.DateTimeField(verbose_name='提交时间')),
                        ('state_at', models.DateTimeField(verbose_name='状态时间')),
                        ('due_at', models.DateTimeField(blank=True, null=True, verbose_name='期限')),
                        ('overdue_since', models.DateTimeField(blank=True, null=True, verbose_name='超时起')),
                        ('request_key', models.CharField(max_length=80, null=True)),
                        ('guide', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.guide', verbose_name='导购')),
                        ('kind', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.requestkind', verbose_name='服务类型')),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member', verbose_name='会员')),
                        ('store', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.store', verbose_name='门店')),
                    ],
                    options={
                        'verbose_name': '服务请求',
                        'verbose_name_plural': '服务请求',
                        'indexes': [models.Index(fields=['member', '-opened_at', '-id'], name='servicerequest_of_member'), models.Index(fields=['guide', 'state', 'due_at'], name='servicerequest_of_guide'), models.Index(fields=['store', 'state', 'due_at'], name='servicerequest_of_store'), models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at'], name='servicerequest_due_queue')],
                        'constraints': [models.UniqueConstraint(fields=('member', 'request_key'), name='servicerequest_once_per_key'), models.CheckConstraint(condition=models.Q(models.Q(('state__in', ('accepted', 'in_progress', 'done')), _negated=True), ('guide__isnull', False), _connector='OR'), name='servicerequest_held_by_a_guide'), models.CheckConstraint(condition=models.Q(models.Q(('due_at__isnull', False), ('state__in', ('open', 'accepted', 'in_progress', 'done'))), models.Q(models.Q(('state__in', ('open', 'accepted', 'in_progress', 'done')), _negated=True), ('due_at__isnull', True)), _connector='OR'), name='servicerequest_due_while_running'), models.CheckConstraint(condition=models.Q(('overdue_since__isnull', True), ('state__in', ('open', 'accepted', 'in_progress')), _connector='OR'), name='servicerequest_overdue_while_unfinished')],
                    },
                ),
                migrations.CreateModel(
                    name='FollowUp',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('public_id', models.CharField(default=core.codes.new_public_id, editable=False, max_length=16, unique=True)),
                        ('topic', models.CharField(max_length=20, verbose_name='事项')),
                        ('title', models.CharField(max_length=60, verbose_name='缘由')),
                        ('script', core.fields.SealedTextField(blank=True, verbose_name='话术')),
                        ('due_on', models.DateField(verbose_name='截止日期')),
                        ('state', models.CharField(choices=[('open', '待跟进'), ('done', '已完成'), ('dropped', '已取消')], default='open', max_length=8, verbose_name='状态')),
                        ('result', models.CharField(blank=True, choices=[('reached', '已联系'), ('coming', '约好到店'), ('bought', '已购买'), ('no_answer', '没联系上'), ('declined', '会员不需要')], max_length=10, verbose_name='结果')),
                        ('note', core.fields.SealedTextField(blank=True, verbose_name='备注')),
                        ('source_key', models.CharField(max_length=100, unique=True)),
                        ('created_at', models.DateTimeField(verbose_name='创建时间')),
                        ('done_at', models.DateTimeField(blank=True, null=True, verbose_name='完成时间')),
                        ('changed_at', models.DateTimeField(editable=False, null=True)),
                        ('guide', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.guide', verbose_name='导购')),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member', verbose_name='会员')),
                        ('round', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='guides.followupround', verbose_name='任务派发')),
                    ],
                    options={
                        'verbose_name': '跟进任务',
                        'verbose_name_plural': '跟进任务',
                        'indexes': [models.Index(condition=models.Q(('state', 'open')), fields=['guide', 'due_on', 'id'], name='followup_open'), models.Index(condition=models.Q(('state', 'done')), fields=['guide', '-done_at'], name='followup_done'), models.Index(condition=models.Q(('changed_at__isnull', False)), fields=['changed_at'], name='followup_newest_changes')],
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('done_at__isnull', False), ('guide__isnull', False), ('state', 'done'), models.Q(('result', ''), _negated=True)), models.Q(models.Q(('state', 'done'), _negated=True), ('done_at__isnull', True), ('result', '')), _connector='OR'), name='followup_done_is_whole')],
                    },
                ),
                migrations.CreateModel(
                    name='Conversation',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('account_id', models.BigIntegerField()),
                        ('waiting_since', models.DateTimeField(null=True, verbose_name='等待回复自')),
                        ('unread_count', models.PositiveIntegerField(default=0, verbose_name='未读')),
                        ('read_up_to_id', models.BigIntegerField(default=0)),
                        ('last_at', models.DateTimeField(verbose_name='最近消息')),
                        ('member', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member', verbose_name='会员')),
                        ('given_to', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.guide', verbose_name='交给导购')),
                    ],
                    options={
                        'verbose_name': '会话',
                        'verbose_name_plural': '会话',
                        'indexes': [models.Index(condition=models.Q(('waiting_since__isnull', False)), fields=['member'], name='conversation_waiting')],
                    },
                ),
                migrations.CreateModel(
                    name='Binding',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('bound_at', models.DateTimeField(verbose_name='绑定时间')),
                        ('source', models.CharField(choices=[('scan', '扫导购码'), ('store_scan', '扫门店码'), ('mini_program', '小程序码'), ('share', '分享'), ('pos', '门店购买'), ('member', '会员自选'), ('manager', '店长指派'), ('staff', '后台指派'), ('handover', '交接'), ('merge', '会员合并'), ('import', '批量导入')], max_length=16, verbose_name='绑定方式')),
                        ('request_key', models.CharField(max_length=80, null=True)),
                        ('bound_by', models.CharField(blank=True, max_length=90, verbose_name='操作者')),
                        ('reason', models.CharField(blank=True, max_length=120, verbose_name='说明')),
                        ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='结束时间')),
                        ('ended_by', models.CharField(blank=True, max_length=90, verbose_name='结束操作者')),
                        ('end_reason', models.CharField(blank=True, max_length=120, verbose_name='结束原因')),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member', verbose_name='会员')),
                        ('channel_code', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.channelcode', verbose_name='渠道码')),
                        ('guide', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='bindings', to='guides.guide', verbose_name='导购')),
                        ('store', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.store', verbose_name='门店')),
                    ],
                    options={
                        'verbose_name': '专属导购绑定',
                        'verbose_name_plural': '专属导购绑定',
                        'indexes': [models.Index(condition=models.Q(('ended_at__isnull', True)), fields=['guide', '-bound_at', '-id'], name='binding_live_of_guide'), models.Index(fields=['member', '-bound_at'], name='binding_history_of_member'), models.Index(fields=['bound_at'], name='binding_by_bound'), models.Index(condition=models.Q(('ended_at__isnull', False)), fields=['ended_at'], name='binding_by_ended')],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('member',), name='binding_one_live_per_member'), models.UniqueConstraint(fields=('request_key',), name='binding_once_per_request'), models.CheckConstraint(condition=models.Q(('ended_at__isnull', True), ('ended_at__gte', models.F('bound_at')), _connector='OR'), name='binding_ends_after_start')],
                    },
                ),
                migrations.CreateModel(
                    name='ChannelScan',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('scene', models.CharField(max_length=64, verbose_name='扫到的内容')),
                        ('request_key', models.CharField(max_length=80, unique=True)),
                        ('is_new_follower', models.BooleanField(verbose_name='新关注')),
                        ('outcome', models.CharField(choices=[('bound', '已绑定'), ('already_yours', '本来就是您的会员'), ('kept_by_other', '已有专属导购'), ('code_closed', '码已停用'), ('guide_left', '导购已离职'), ('no_guide', '门店没有在职导购'), ('unknown_code', '不认识的码')], max_length=16, verbose_name='结果')),
                        ('scanned_at', models.DateTimeField(verbose_name='时间')),
                        ('channel_code', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='scans', to='guides.channelcode', verbose_name='渠道码')),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member', verbose_name='会员')),
                        ('guide', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.guide', verbose_name='导购')),
                    ],
                    options={
                        'verbose_name': '扫码记录',
                        'verbose_name_plural': '扫码记录',
                        'indexes': [models.Index(fields=['channel_code', '-scanned_at'], name='channelscan_of_code')],
                    },
                ),
                migrations.CreateModel(
                    name='GuideMemberTag',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('tagged_at', models.DateTimeField(verbose_name='打标签时间')),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member', verbose_name='会员')),
                        ('tag', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='guides.guidetag', verbose_name='标签')),
                    ],
                    options={
                        'verbose_name': '导购给会员的标签',
                        'verbose_name_plural': '导购给会员的标签',
                        'constraints': [models.UniqueConstraint(fields=('tag', 'member'), name='guidemembertag_once')],
                    },
                ),
                migrations.CreateModel(
                    name='ServiceRequestStep',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('act', models.CharField(choices=[('opened', '已提交'), ('accepted', '已接单'), ('scheduled', '已约好时间'), ('started', '开始处理'), ('said', '导购留言'), ('handed_over', '转交他人'), ('followed', '随专属导购变动转交'), ('store_changed', '服务门店变动'), ('finished', '已完成'), ('closed', '已结束'), ('cancelled', '会员取消'), ('refused', '未能受理')], max_length=16, verbose_name='动作')),
                        ('from_state', models.CharField(blank=True, choices=[('open', '待接单'), ('accepted', '已接单'), ('in_progress', '进行中'), ('done', '已完成'), ('closed', '已结束'), ('cancelled', '会员已取消'), ('refused', '未能受理')], max_length=12, verbose_name='之前')),
                        ('to_state', models.CharField(choices=[('open', '待接单'), ('accepted', '已接单'), ('in_progress', '进行中'), ('done', '已完成'), ('closed', '已结束'), ('cancelled', '会员已取消'), ('refused', '未能受理')], max_length=12, verbose_name='之后')),
                        ('words', core.fields.SealedTextField(blank=True, verbose_name='对会员说')),
                        ('note', core.fields.SealedTextField(blank=True, verbose_name='内部说明')),
                        ('scheduled_at', models.DateTimeField(null=True, verbose_name='约定时间')),
                        ('at', models.DateTimeField(verbose_name='时间')),
                        ('done_by', models.CharField(blank=True, max_length=90, verbose_name='操作者')),
                        ('is_own', models.BooleanField(default=False)),
                        ('request_key', models.CharField(max_length=80, null=True)),
                        ('told_at', models.DateTimeField(null=True, verbose_name='通知时间')),
                        ('read_at', models.DateTimeField(null=True, verbose_name='会员已读时间')),
                        ('from_guide', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.guide', verbose_name='原导购')),
                        ('guide', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.guide', verbose_name='导购')),
                        ('request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='steps', to='guides.servicerequest', verbose_name='服务请求')),
                        ('store', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.store', verbose_name='门店')),
                    ],
                    options={
                        'verbose_name': '服务请求进展',
                        'verbose_name_plural': '服务请求进展',
                        'indexes': [models.Index(condition=models.Q(('told_at__isnull', True)), fields=['at'], name='servicerequeststep_untold'), models.Index(condition=models.Q(('read_at__isnull', True)), fields=['request'], name='servicerequeststep_unread')],
                        'constraints': [models.UniqueConstraint(fields=('request', 'request_key'), name='servicerequeststep_once_per_key')],
                    },
                ),
                migrations.CreateModel(
                    name='ConversationMessage',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('speaker', models.CharField(choices=[('member', '会员'), ('guide', '导购'), ('staff', '总部'), ('settled', '无需回复')], max_length=8, verbose_name='谁')),
                        ('kind', models.CharField(max_length=20, verbose_name='类型')),
                        ('words', core.fields.SealedTextField(blank=True, verbose_name='内容')),
                        ('at', models.DateTimeField(verbose_name='时间')),
                        ('inbound_id', models.BigIntegerField(null=True, unique=True)),
                        ('request_key', models.CharField(max_length=40, null=True)),
                        ('state', models.CharField(blank=True, choices=[('', '—'), ('queued', '发送中'), ('sent', '已发送'), ('dropped', '未送达'), ('uncertain', '不确定是否送达')], default='', max_length=10, verbose_name='状态')),
                        ('outcome', models.CharField(blank=True, max_length=120, verbose_name='结果')),
                        ('conversation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='messages', to='guides.conversation')),
                        ('guide', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='guides.guide', verbose_name='导购')),
                        ('staff', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='后台账号')),
                    ],
                    options={
                        'verbose_name': '会话消息',
                        'verbose_name_plural': '会话消息',
                        'indexes': [models.Index(fields=['conversation', '-id'], name='conversationmessage_newest'), models.Index(condition=models.Q(('state', 'queued')), fields=['id'], name='conversationmessage_unsettled'), models.Index(fields=['at'], name='conversationmessage_by_at')],
                        'constraints': [models.UniqueConstraint(fields=('guide', 'request_key'), name='conversationmessage_once_per_request'), models.UniqueConstraint(fields=('staff', 'request_key'), name='conversationmessage_once_per_staff_request'), models.CheckConstraint(condition=models.Q(models.Q(('guide__isnull', True), ('speaker', 'member'), ('staff__isnull', True)), models.Q(('guide__isnull', False), ('speaker', 'guide'), ('staff__isnull', True)), models.Q(('guide__isnull', True), ('speaker', 'staff'), ('staff__isnull', False)), models.Q(('guide__isnull', False), ('speaker', 'settled'), ('staff__isnull', True)), models.Q(('guide__isnull', True), ('speaker', 'settled'), ('staff__isnull', False)), _connector='OR'), name='conversationmessage_one_speaker')],
                    },
                ),
                migrations.CreateModel(
                    name='GuideNotice',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('kind', models.CharField(choices=[('new_member', '新会员'), ('member_left', '会员更换导购'), ('request_came', '新的服务请求'), ('request_gone', '服务请求不再归她'), ('request_overdue', '服务请求超时'), ('message_came', '会员发来消息')], max_length=16)),
                        ('created_at', models.DateTimeField()),
                        ('read_at', models.DateTimeField(null=True)),
                        ('binding', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='guides.binding')),
                        ('guide', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='guides.guide')),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='members.member')),
                        ('step', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='guides.servicerequeststep')),
                        ('message', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='guides.conversationmessage')),
                    ],
                    options={
                        'verbose_name': '导购提醒',
                        'verbose_name_plural': '导购提醒',
                        'indexes': [models.Index(fields=['guide', '-id'], name='guidenotice_for_pulse')],
                        'constraints': [models.UniqueConstraint(fields=('binding', 'kind'), name='guidenotice_once_per_binding_and_kind'), models.UniqueConstraint(fields=('step', 'kind', 'guide'), name='guidenotice_once_per_step_kind_and_guide'), models.UniqueConstraint(fields=('message', 'guide'), name='guidenotice_once_per_message_and_guide'), models.CheckConstraint(condition=models.Q(models.Q(('binding__isnull', False), ('message__isnull', True), ('step__isnull', True)), models.Q(('binding__isnull', True), ('message__isnull', True), ('step__isnull', False)), models.Q(('binding__isnull', True), ('message__isnull', False), ('step__isnull', True)), _connector='OR'), name='guidenotice_of_one_thing')],
                    },
                ),
            ],
        ),
        migrations.RunPython(make_kinds, migrations.RunPython.noop),
    ]
